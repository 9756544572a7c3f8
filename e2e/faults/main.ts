// `node e2e/faults/main.ts [flow…] [--every N] [--offset N] [--fault kill|ENOSPC|EIO] [--call NAME] [--json]`: breaks
// every system call by which the flows of a PDS make something durable, and says how many there were. Exits 1 when
// something was wrong, and 2 when it could not begin. `--fault` and `--call` can be given several times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type FlowReport, runFaults } from './fault-run.ts'
import type { Flow } from './flow.ts'
import { flowNamed, flows } from './flows.ts'
import { FAULTS, type Fault, straceMissing } from './strace.ts'

const { values, positionals } = readArguments({
  every: { type: 'string', default: '1' },
  offset: { type: 'string' },
  fault: { type: 'string', multiple: true },
  call: { type: 'string', multiple: true },
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

function faultNamed(name: string): Fault {
  if (Object.hasOwn(FAULTS, name)) return name as Fault
  usage(`--fault ${name}: there are ${Object.keys(FAULTS).join(', ')}`)
}

function callNamed(name: string): string {
  const all = [...new Set(Object.values(FAULTS).flatMap(({ calls }) => calls as readonly string[]))]
  return all.includes(name) ? name : usage(`--call ${name}: there are ${all.join(', ')}`)
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
const faults = values.fault?.map(faultNamed)
const only = values.call?.map(callNamed)
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
    onPoint(done, total) {
      if (process.stderr.isTTY) process.stderr.write(`\r${flow.name}: ${done} of ${total}\x1b[K`)
    },
  })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  reports.push(report)
  if (!values.json) print(report)
}
if (values.json) console.log(JSON.stringify(reports))
process.exitCode = reports.every(({ tallies }) => tallies.every(({ failures }) => failures.length === 0))
  ? 0
  : 1

function print({ flow, tallies, ms }: FlowReport): void {
  for (const { fault, points, hit, failures } of tallies) {
    const verdict = failures.length === 0 ? 'all clean' : `${failures.length} wrong`
    console.log(
      [
        flow.padEnd(8),
        fault.padEnd(6),
        `${points} points`.padStart(11),
        `${hit} hit`.padStart(9),
        verdict,
      ].join('  '),
    )
    for (const failure of failures) console.log(failure.replace(/^/gm, '    '))
  }
  console.log(`${flow.padEnd(8)}  ${(ms / 1000).toFixed(0)} s`)
}
