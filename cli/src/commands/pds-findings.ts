import { clearLine, cursorTo } from 'node:readline'
import { styleText } from 'node:util'
import type { Finding, Progress, Repair } from '@imago/pds/recovery'
import { isDid } from '@imago/syntax'
import { InvalidArgumentError } from 'commander'
import { CliError, EXIT } from '../cli-error.ts'

/** What was found, in numbers. */
export interface FindingCounts {
  readonly errors: number
  readonly warnings: number
  readonly repairs: number
}

/** Parses the value of `--did`. */
export function didOption(text: string): `did:${string}:${string}` {
  if (!isDid(text))
    throw new InvalidArgumentError('Expected a DID, such as did:plc:ewvi7nxzyoun6zhxrhs64oiz.')
  return text
}

/**
 * Prints what a tool tells as it goes: findings and repairs on standard output, progress on a terminal's standard
 * error, and a last line that counts.
 * @throws {CliError} usage, when the tool cannot begin or cannot go on.
 */
export async function reportFindings(
  items: AsyncIterable<Finding | Progress | Repair>,
  { json }: { readonly json: boolean },
): Promise<FindingCounts> {
  const progress = createProgressLine()
  const counts = { errors: 0, warnings: 0, repairs: 0 }
  try {
    for await (const item of items) {
      if (item.type === 'progress') {
        progress.show(item)
        continue
      }
      if (item.type === 'repair') counts.repairs++
      else if (item.level === 'error') counts.errors++
      else counts.warnings++
      progress.clear()
      process.stdout.write(json ? `${JSON.stringify(item)}\n` : textOf(item))
    }
  } catch (error) {
    const named = await explained(error)
    if (named === undefined) throw error
    throw new CliError(EXIT.usage, named, { cause: error })
  } finally {
    progress.clear()
  }
  process.stdout.write(json ? `${JSON.stringify({ type: 'summary', ...counts })}\n` : summaryOf(counts))
  return counts
}

/** What a user can mend is told in one sentence. */
async function explained(error: unknown): Promise<string | undefined> {
  const { DataDirectoryInUseError, RecoveryError } = await import('@imago/pds/recovery')
  return error instanceof RecoveryError || error instanceof DataDirectoryInUseError
    ? error.message
    : undefined
}

function textOf(item: Finding | Repair): string {
  const where = [item.did, item.path].filter((part) => part !== undefined).join(' ')
  const about = where === '' ? '' : ` ${where}`
  if (item.type === 'repair') return `${styleText('green', 'mended')}${about}: ${item.message}\n`
  const level = styleText(item.level === 'error' ? 'red' : 'yellow', item.level)
  return `${level} ${item.code}${about}: ${item.message}\n    ${item.fix}\n`
}

function summaryOf({ errors, warnings, repairs }: FindingCounts): string {
  const parts = [
    errors === 0 ? 'no errors' : count(errors, 'error'),
    ...(warnings === 0 ? [] : [count(warnings, 'warning')]),
    ...(repairs === 0 ? [] : [count(repairs, 'repair')]),
  ]
  return `${parts.join(', ')}\n`
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`

/** One line on a terminal that is written over; nothing in a pipe, where findings are lines enough. */
function createProgressLine() {
  const stream = process.stderr
  let shown = false
  return {
    show({ part, done, total }: Progress): void {
      if (!stream.isTTY) return
      cursorTo(stream, 0)
      stream.write(`${part}: ${done} of ${total}`)
      clearLine(stream, 1)
      shown = true
    },
    clear(): void {
      if (!shown) return
      cursorTo(stream, 0)
      clearLine(stream, 0)
      shown = false
    },
  }
}
