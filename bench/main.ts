// `npm run bench -- GROUP…`: measures, compares with the bars, and keeps the figures. bench/README.md says how to read it.
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Group } from './lib/group.ts'
import { appendHistory, formatEntry, type HistoryEntry, provenance } from './lib/history.ts'
import { printHeader, printRow } from './lib/print-row.ts'
import { isFailure, judgeRow } from './lib/row.ts'

const USAGE = `npm run bench -- [GROUP…] [--json] [--quick] [--list]

Without a group, all of them. --json prints a line of JSON per row. --quick takes short looks and keeps no history.
--list tells the groups. Exits 1 where a row falls short or a group fails, 2 when it is called wrongly.`

const groupNames = readdirSync(new URL('groups', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort()

const loadGroup = async (name: string): Promise<Group> =>
  (await import(new URL(`groups/${name}.ts`, import.meta.url).href)).group

interface Options {
  readonly json: boolean
  readonly quick: boolean
}

/** Measures one group. @returns its rows, and whether it went wrong: fell short, or did not come to its end. */
async function runGroup(
  name: string,
  { json, quick }: Options,
): Promise<{ rows: HistoryEntry[]; failed: boolean }> {
  const rows: HistoryEntry[] = []
  const requireAll = process.env['REQUIRE_INFRA'] === '1'
  const origin = provenance()
  let failed = false
  if (!json) printHeader(name)
  try {
    const group = await loadGroup(name)
    for await (const row of group.rows({ quick, progress: (text) => console.error(`  … ${text}`) })) {
      const judged = judgeRow(row)
      failed ||= isFailure(judged.verdict, requireAll)
      const entry = { ...origin, group: name, ...judged }
      rows.push(entry)
      if (json) console.log(formatEntry(entry))
      else printRow(judged)
    }
  } catch (error) {
    failed = true
    console.error(`${name} did not come to its end:`, error)
  }
  return { rows, failed }
}

async function main(): Promise<number> {
  let parsed: {
    values: { json?: boolean; quick?: boolean; list?: boolean; help?: boolean }
    positionals: string[]
  }
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        quick: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    return 2
  }
  const { values, positionals } = parsed
  const { json = false, quick = false } = values
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  if (values.list) {
    for (const name of groupNames) {
      const { about } = await loadGroup(name)
      console.log(json ? JSON.stringify({ name, about }) : `${name.padEnd(10)} ${about}`)
    }
    return 0
  }
  const unknown = positionals.filter((name) => !groupNames.includes(name))
  if (unknown.length > 0) {
    console.error(`no group ${unknown.join(', ')}; groups: ${groupNames.join(', ')}`)
    return 2
  }

  let exitCode = 0
  for (const name of positionals.length > 0 ? positionals : groupNames) {
    const { rows, failed } = await runGroup(name, { json, quick })
    if (failed) exitCode = 1
    if (!quick) appendHistory(rows)
  }
  return exitCode
}

// An exit by way of `process.exit` stops the servers that a benchmark has started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main()
