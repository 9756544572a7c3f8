import { styleText } from 'node:util'
import { type Addresses, eachPart, type PartName } from './addresses.ts'

const ABOUT: Readonly<Record<PartName, string>> = {
  console: 'open this first',
  plc: 'did:plc',
  pds: 'accounts and repositories; handles end in .test',
  relay: 'every repository in one verified stream',
  jetstream: 'the same as JSON, at /subscribe',
}

/**
 * What `imago up` prints when everything answers: where it all is, and a last line that begins with `ready`, which
 * scripts wait for.
 */
export function announcement(facts: {
  addresses: Addresses
  dataPath: string
  elapsedMs: number
  colour: boolean
}): string {
  const bold = (text: string) => (facts.colour ? styleText('bold', text) : text)
  const dim = (text: string) => (facts.colour ? styleText('dim', text) : text)
  const parts = eachPart(facts.addresses)
  const titleWidth = Math.max(...parts.map(({ title }) => title.length))
  const urlWidth = Math.max(...parts.map(({ address }) => address.url.length))
  const rows = parts.map(
    ({ name, title, address }) =>
      `  ${title.padEnd(titleWidth)}  ${bold(address.url.padEnd(urlWidth))}  ${dim(ABOUT[name])}\n`,
  )
  const seconds = (facts.elapsedMs / 1000).toFixed(1)
  return `\n${rows.join('')}\n  ${dim(`Data in ${facts.dataPath}. Stop with Ctrl+C; data stays.`)}\n\nready after ${seconds} s: ${facts.addresses.console.url}\n`
}
