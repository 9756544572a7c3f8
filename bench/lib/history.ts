import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import type { JudgedRow } from './row.ts'

const file = new URL('../history.jsonl', import.meta.url)

/** Where and of what a run was taken: the figures of two runs compare only where this is the same. */
export interface Provenance {
  /** When, as an RFC 3339 datetime. */
  readonly time: string
  /** Abbreviated; `null` outside a git clone. */
  readonly commit: string | null
  /** Whether the working tree held changes beyond the commit, this history left aside. */
  readonly dirty: boolean
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly node: string
    /** Processes that wanted a core in the minute before the run: well above zero means noise. */
    readonly load: number
  }
}

export function provenance(): Provenance {
  const processors = cpus()
  const changes = git('status', '--porcelain', '--', ':(top)', ':(top,exclude)bench/history.jsonl')
  return {
    time: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD'),
    dirty: changes !== null && changes !== '',
    machine: {
      cpu: processors[0]?.model ?? 'unknown',
      cores: processors.length,
      node: process.version,
      load: Number(loadavg()[0]!.toFixed(2)),
    },
  }
}

/** What is kept of a row: one line of bench/history.jsonl. */
export interface HistoryEntry extends Provenance, JudgedRow {
  readonly group: string
}

/** An entry as a line of JSON, its figures rounded to four digits: they say all there is to say. */
export const formatEntry = (entry: HistoryEntry): string => JSON.stringify(entry, roundNumbers)

/** Adds rows to the end of bench/history.jsonl. Those that could not be measured are left out. */
export function appendHistory(entries: readonly HistoryEntry[]): void {
  const lines = entries
    .filter(({ verdict }) => verdict !== 'missing')
    .map((entry) => `${formatEntry(entry)}\n`)
  appendFileSync(file, lines.join(''))
}

const roundNumbers = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value

function git(...args: string[]): string | null {
  const { status, stdout } = spawnSync('git', args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return status === 0 ? stdout.trim() : null
}
