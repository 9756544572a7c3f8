import { styleText } from 'node:util'
import { type ConfigRow, describeConfig } from '@imago/service'
import { SERVICES, type ServiceName } from '../services.ts'
import { networkSettings } from '../settings.ts'

/** Prints every setting of a service: name, what to write, default, meaning. Values of secrets are never shown. */
export async function showConfig(
  name: ServiceName | 'up',
  { json }: { readonly json: boolean },
): Promise<void> {
  const definition = name === 'up' ? networkSettings : await SERVICES[name].settings()
  const rows = describeConfig(definition, process.env)
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : configText(rows, process.stdout))
}

const INDENT = '    '
const DEFAULT_COLUMNS = 100

/** The settings as a person reads them. Bold is left out where `stream` takes no colour. */
export function configText(
  rows: readonly ConfigRow[],
  stream?: { readonly columns?: number; readonly isTTY?: boolean },
): string {
  const width = Math.min(stream?.columns ?? DEFAULT_COLUMNS, DEFAULT_COLUMNS) - INDENT.length
  const bold = (text: string) => (stream?.isTTY ? styleText('bold', text) : text)
  return rows
    .map((row) => {
      const lines = [...wrap(row.doc, width), factsOf(row)]
      return `${bold(row.env)}\n${lines.map((line) => `${INDENT}${line}\n`).join('')}`
    })
    .join('\n')
}

function factsOf(row: ConfigRow): string {
  const facts = [row.kind]
  if (row.required) facts.push('required')
  if (row.default !== undefined && row.default !== '') facts.push(`default ${row.default}`)
  if (row.aliases.length > 0) facts.push(`also ${row.aliases.join(', ')}`)
  if (row.current !== undefined) facts.push(`now ${row.current}`)
  return facts.join(' · ')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
