// `node e2e/faults/main.ts [flow…] [--every N] [--offset N] [--fault kill|ENOSPC|EIO] [--json]`: breaks every system call
// by which the flows of a PDS make something durable, and says how many there were. Exits 1 when something was wrong.
import { parseArgs } from 'node:util'
import { type FlowReport, runFaults } from './fault-run.ts'
import { flowNamed, flows } from './flows.ts'
import { FAULTS, type Fault, straceMissing } from './strace.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    every: { type: 'string', default: '1' },
    offset: { type: 'string', default: '0' },
    fault: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
})

function usage(message: string): never {
  console.error(message)
  process.exit(2)
}

function wholeNumber(name: 'every' | 'offset', least: number): number {
  const number = Number(values[name])
  if (!Number.isInteger(number) || number < least)
    usage(`--${name} ${values[name]}: give a whole number from ${least} on`)
  return number
}

function faultNamed(name: string): Fault {
  if (Object.hasOwn(FAULTS, name)) return name as Fault
  usage(`--fault ${name}: there are ${Object.keys(FAULTS).join(', ')}`)
}

if (straceMissing !== undefined) usage(straceMissing)
const every = wholeNumber('every', 1)
const offset = wholeNumber('offset', 0)
const faults = values.fault?.map(faultNamed)
const wanted =
  positionals.length === 0
    ? flows
    : positionals.map(
        (name) =>
          flows.find((flow) => flow.name === name) ??
          usage(`no flow ${name}: there are ${flows.map((flow) => flow.name).join(', ')}`),
      )

const reports: FlowReport[] = []
for (const { name } of wanted) {
  const report = await runFaults(flowNamed(name), {
    every,
    offset,
    ...(faults !== undefined && { faults }),
    onPoint(done, total) {
      if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${done} of ${total}\x1b[K`)
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
