// `node e2e/faults/main.ts [flow…] [--every N] [--offset N] [--fault kill|tear|ENOSPC|EIO|clock] [--call NAME]
// [--thread main|pool|worker] [--json]`: breaks every system call by which the flows of a PDS make something durable, sets
// the clock before each of their steps, and says how many places there were. Exits 1 when something was wrong, or when a
// fault that was to happen did not; and 2 when it could not begin. `--fault` and `--call` can be given several times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { CALLS, FAULTS, type Fault } from './fault.ts'
import { type FaultTally, type FlowReport, runFaults } from './fault-run.ts'
import type { Flow } from './flow.ts'
import { flowNamed, flows } from './flows.ts'
import { THREADS } from './head-start.ts'
import { straceMissing } from './strace.ts'

const { values, positionals } = readArguments({
  every: { type: 'string', default: '1' },
  offset: { type: 'string' },
  fault: { type: 'string', multiple: true },
  call: { type: 'string', multiple: true },
  thread: { type: 'string' },
  json: { type: 'boolean', default: false },
})

function readArguments<O extends NonNullable<ParseArgsConfig['options']>>(options: O) {
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    usage((error as Error).message)
  }
}

function usage(message: string): never {
  console.error(message)
  process.exit(2)
}

function wholeNumber(name: string, value: string, least: number): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < least)
    usage(`--${name} ${value}: give a whole number from ${least} on`)
  return number
}

function oneOf<T extends string>(option: string, all: readonly T[], value: string): T {
  return all.find((one) => one === value) ?? usage(`--${option} ${value}: there are ${all.join(', ')}`)
}

function flowCalled(name: string): Flow {
  try {
    return flowNamed(name)
  } catch (error) {
    usage((error as Error).message)
  }
}

if (straceMissing !== undefined) usage(straceMissing)
const every = wholeNumber('every', values.every, 1)
const offset = values.offset === undefined ? undefined : wholeNumber('offset', values.offset, 0)
const faults = values.fault?.map((value): Fault => oneOf('fault', FAULTS, value))
const only = values.call?.map((value) => oneOf('call', CALLS, value))
const thread = values.thread === undefined ? undefined : oneOf('thread', THREADS, values.thread)
const wanted = positionals.length === 0 ? flows : positionals.map(flowCalled)

const compiled = mkdtempSync(join(tmpdir(), 'imago-faults-compiled-'))
process.once('exit', () => rmSync(compiled, { recursive: true, force: true }))
const reports: FlowReport[] = []
for (const flow of wanted) {
  const report = await runFaults(flow, {
    every,
    compiled,
    ...(offset !== undefined && { offset }),
    ...(faults !== undefined && { faults }),
    ...(only !== undefined && { only }),
    ...(thread !== undefined && { thread }),
    onPoint(done, total) {
      if (process.stderr.isTTY) process.stderr.write(`\r${flow.name}: ${done} of ${total}\x1b[K`)
    },
  })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  reports.push(report)
  if (!values.json) print(report)
}
if (values.json) console.log(JSON.stringify(reports))
const tallies = reports.flatMap((report) => report.tallies)
if (!values.json && reports.length > 1)
  for (const fault of FAULTS) printTally('all', sumOf(tallies.filter((tally) => tally.fault === fault)))
// Nothing that was to be broken, and nothing broken, proves nothing.
process.exitCode = tallies.some(({ hit }) => hit > 0) && tallies.every(isClean) ? 0 : 1

function isClean({ chosen, hit, failures }: FaultTally): boolean {
  return failures.length === 0 && hit === chosen
}

function sumOf([first, ...others]: readonly FaultTally[]): FaultTally | undefined {
  return others.reduce<FaultTally | undefined>(
    (sum, tally) =>
      sum && {
        fault: sum.fault,
        points: sum.points + tally.points,
        chosen: sum.chosen + tally.chosen,
        hit: sum.hit + tally.hit,
        failures: [...sum.failures, ...tally.failures],
      },
    first,
  )
}

function printTally(flow: string, tally: FaultTally | undefined): void {
  if (tally === undefined) return
  const { fault, points, chosen, hit, failures } = tally
  const counts = [`${points} points`.padStart(11), `${hit} of ${chosen} hit`.padStart(17)]
  const verdict = chosen === 0 ? 'not tried' : isClean(tally) ? 'all clean' : `${failures.length} wrong`
  console.log([flow.padEnd(10), fault.padEnd(6), ...counts, verdict].join('  '))
}

function print({ flow, tallies, ms }: FlowReport): void {
  for (const tally of tallies) {
    printTally(flow, tally)
    for (const failure of tally.failures) console.log(failure.replace(/^/gm, '    '))
  }
  console.log(`${flow.padEnd(10)}  ${(ms / 1000).toFixed(0)} s`)
}
