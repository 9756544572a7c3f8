// npm run fuzz -- [TARGET…] [--executions N] [--seconds N] [--jobs N] [--seed N] [--hang-ms N] [--list]
// Throws inputs at the decoders of outside bytes until the budget of each target is spent. Exits 1 where one crashed,
// hung or took too much memory; the input is then in vectors/fuzz, where `npm test` tries it for ever.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Crasher, JobOrder, JobReport } from './fuzz/job.ts'
import { crashersOf, type FoundTarget, findTargets } from './fuzz/targets.ts'

const DEFAULT_SECONDS = 10
const PROGRESS_MS = 10_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    executions: { type: 'string' },
    seconds: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    'hang-ms': { type: 'string', default: '5000' },
    list: { type: 'boolean', default: false },
  },
})

function usage(problem: string): never {
  console.error(problem)
  process.exit(2)
}

function wholeNumber(option: 'executions' | 'seconds' | 'jobs' | 'seed' | 'hang-ms'): number | undefined {
  const text = values[option]
  if (text === undefined) return undefined
  if (!/^[1-9]\d*$/.test(text)) usage(`--${option} ${text}: give a whole number above zero`)
  return Number(text)
}

const maxExecutions = wholeNumber('executions') ?? Number.MAX_SAFE_INTEGER
const seconds =
  wholeNumber('seconds') ?? (values.executions === undefined ? DEFAULT_SECONDS : Number.MAX_SAFE_INTEGER)
const jobs = wholeNumber('jobs')!
const seed = wholeNumber('seed')!
const hangMs = wholeNumber('hang-ms')!

const found = await findTargets()
if (values.list) {
  for (const { target, file } of found) console.log(`${target.name}\t${file}`)
  process.exit(0)
}
const unknown = positionals.filter((name) => !found.some(({ target }) => target.name === name))
if (unknown.length > 0)
  usage(
    `no target ${unknown.join(', ')}; targets: ${found.map(({ target }) => target.name).join(', ') || 'none'}`,
  )
const chosen = found.filter(({ target }) => positionals.length === 0 || positionals.includes(target.name))

/** One process of its own, so that a crash of the engine itself is also seen. */
function startJob(order: JobOrder, onReport: (report: JobReport) => void): Promise<number | null> {
  const child = fork(fileURLToPath(new URL('fuzz/job.ts', import.meta.url)), {
    serialization: 'advanced',
    execArgv: ['--expose-gc'],
  })
  child.on('message', (report: JobReport) => onReport(report))
  child.send(order)
  return new Promise((resolve) => child.on('exit', resolve))
}

function keepCrasher(name: string, { input }: Crasher): string {
  const path = new URL(
    `${createHash('sha256').update(input).digest('hex').slice(0, 16)}.bin`,
    crashersOf(name),
  )
  mkdirSync(crashersOf(name), { recursive: true })
  writeFileSync(path, input)
  return fileURLToPath(path)
}

/** @returns whether the target stood. */
async function fuzz({ target: { name }, file }: FoundTarget): Promise<boolean> {
  const begin = performance.now()
  const reports: JobReport[] = []
  let printed = begin
  const line = () => {
    const elapsed = (performance.now() - begin) / 1000
    const executions = reports.reduce((total, report) => total + report.executions, 0)
    const blocks = new Set(reports.flatMap((report) => report.blocks)).size
    const corpus = reports.reduce((most, report) => Math.max(most, report.corpus), 0)
    printed = performance.now()
    const rate = Math.round(executions / elapsed)
    console.log(
      `${name.padEnd(24)} ${executions.toLocaleString('en')} executions, ${rate.toLocaleString('en')}/s, ` +
        `corpus ${corpus}, ${blocks} blocks, ${elapsed.toFixed(0)} s`,
    )
  }
  const exits = await Promise.all(
    Array.from({ length: jobs }, (_, job) =>
      startJob(
        { file, name, seed: seed + 2 * job, maxExecutions: Math.ceil(maxExecutions / jobs), seconds, hangMs },
        (report) => {
          reports[job] = report
          if (!report.final && performance.now() - printed > PROGRESS_MS) line()
        },
      ),
    ),
  )
  line()
  let stood = true
  for (const { crasher } of reports) {
    if (crasher === undefined) continue
    stood = false
    console.error(
      `${name}: ${crasher.kind} on ${crasher.input.length} bytes, kept as ${keepCrasher(name, crasher)}`,
    )
    console.error(crasher.message)
  }
  for (const [job, code] of exits.entries())
    if (code !== 0 || reports[job]?.final !== true) {
      stood = false
      console.error(
        `${name}: process ${job} of the fuzzer ended early (exit ${code}); try again with --seed ${seed + 2 * job}`,
      )
    }
  return stood
}

let failed = 0
for (const target of chosen) if (!(await fuzz(target))) failed++
console.log(`targets: ${chosen.length - failed} stood, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
