import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkAftermath } from './aftermath.ts'
import { CLOCK_STEP, type ClockStep } from './clock-step.ts'
import type { Flow } from './flow.ts'
import { canHaveHeadStart, type HeadStart, type Thread } from './head-start.ts'
import { type Finished, runDriver } from './run-driver.ts'
import { readScene } from './scene.ts'
import { type Call, type CallFault, KILLS, runTraced, type TracedRun, type TraceOptions } from './strace.ts'
import type { Transcript } from './transcript.ts'

const driver = fileURLToPath(new URL('driver.ts', import.meta.url))

/** Calls of one name that one thread makes on files of the flow. */
export interface CallGroup {
  readonly call: string
  readonly thread: Thread
  readonly count: number
  readonly headStart: HeadStart | undefined
  /** Where they stand among all such calls of the thread, from 1, the head start counted. */
  numbers(): Promise<readonly number[]>
}

/** A call of the flow that can be broken. */
export interface CallPoint {
  readonly group: CallGroup
  /** Among the calls of the group, from 0. */
  readonly index: number
}

export interface Counted {
  readonly groups: readonly CallGroup[]
  /** Of the story. */
  readonly steps: number
}

export interface Outcome {
  /** The fault befell what it was meant for, by the log or the transcript. */
  readonly fired: boolean
  /** What is wrong. */
  readonly failure?: string
}

/** Plays one flow again and again, each time from the same beginning. */
export interface Player {
  /** Plays it whole, and counts what can be broken by calls of these names. */
  count(calls: readonly string[]): Promise<Counted>
  breakCall(fault: CallFault, point: CallPoint): Promise<Outcome>
  setClock(step: ClockStep): Promise<Outcome>
}

/** More than the calls that differ from run to run, such as the wake-ups between threads. */
const MARGIN = 40
/**
 * A call that came elsewhere than in the count is not the wanted one: again, with the number that it had this time. That
 * happens to `write`, by which threads also wake one another.
 */
const ATTEMPTS = 10

/**
 * @param folder of the run's own. What the flow begins with lies in `base` below it.
 * @param compiled folder for what the driver is compiled to.
 */
export function createPlayer(flow: Flow, folder: string, compiled: string): Player {
  const root = join(folder, 'work')
  // A folder that has a new entry is synced under its own name, without a slash.
  const isOurs = ({ text }: Call) => text.includes(`${root}/`) || text.includes(`${root}>`)
  const command = [driver, flow.name, root]
  const env = { NODE_COMPILE_CACHE: compiled }

  function begin(): void {
    rmSync(root, { recursive: true, force: true })
    cpSync(join(folder, 'base'), root, { recursive: true })
  }

  function trace(
    calls: readonly string[],
    more: Pick<TraceOptions, 'headStart' | 'inject'> = {},
  ): Promise<TracedRun> {
    begin()
    return runTraced({ command, env, log: join(folder, 'log'), calls, ...more })
  }

  async function traceWhole(calls: readonly string[], headStart?: HeadStart): Promise<TracedRun> {
    const run = await trace(calls, { headStart })
    assertUndisturbed(run)
    return run
  }

  function assertUndisturbed({ transcript, stderr }: Finished): void {
    assert.ok(transcript.ended, `${flow.name} without a fault: ${transcript.broke ?? stderr}`)
    assert.deepEqual(
      transcript.steps.filter(({ outcome }) => outcome !== 'done'),
      [],
    )
  }

  const check = (transcript: Transcript) => checkAftermath(flow, { root, scene: readScene(root), transcript })

  async function verdict(transcript: Transcript, alsoRight: () => void): Promise<Outcome> {
    try {
      alsoRight()
      await check(transcript)
      return { fired: true }
    } catch (error) {
      return { fired: true, failure: `${(error as Error).stack}` }
    }
  }

  async function count(names: readonly string[]): Promise<Counted> {
    const { transcript, calls } = await traceWhole(names)
    await check(transcript)
    const groups = [...Map.groupBy(calls, ({ name }) => name)].flatMap(([call, ofName]) =>
      groupsOf(call, ofName, transcript),
    )
    if (flow.hasWorker)
      assert.ok(
        groups.some(({ thread }) => thread === 'worker'),
        `a thread of the server took part in ${flow.name}`,
      )
    return { groups, steps: transcript.steps.length }
  }

  function groupsOf(call: string, ofName: readonly Call[], transcript: Transcript): CallGroup[] {
    const byThread = Map.groupBy(ofName.filter(isOurs), (one) => threadOf(one, transcript))
    return [...byThread].map(([thread, own]) => {
      assert.equal(new Set(own.map((one) => one.thread)).size, 1, `one ${thread} thread`)
      const others = ofName.filter((one) => one.thread !== own[0]!.thread)
      const headStart = others.length === 0 ? undefined : { thread, call, times: longest(others) + MARGIN }
      const numbers = once(async () =>
        headStart === undefined ? own.map(({ n }) => n) : await countAhead(headStart, own.length),
      )
      return { call, thread, count: own.length, headStart, numbers }
    })
  }

  /** The same again with a head start: the numbers are others then. */
  async function countAhead(headStart: HeadStart, expected: number): Promise<number[]> {
    const { thread, call } = headStart
    assert.ok(canHaveHeadStart(call), `two threads call ${call}: it needs a head start`)
    let found = 0
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const numbers = callsIn(await traceWhole([call], headStart), headStart).map(({ n }) => n)
      if (numbers.length === expected) return numbers
      // What comes together by chance shares an fsync of its folder.
      found = numbers.length
    }
    throw new Error(`the ${thread} thread called ${call} ${expected} times, and ${found} times in other runs`)
  }

  /** The calls of a group in another run. */
  const callsIn = ({ calls, transcript }: TracedRun, { call, thread }: Pick<CallGroup, 'call' | 'thread'>) =>
    calls.filter((one) => one.name === call && isOurs(one) && threadOf(one, transcript) === thread)

  async function breakCall(fault: CallFault, point: CallPoint): Promise<Outcome> {
    const { call, headStart, numbers } = point.group
    let n = (await numbers())[point.index]!
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const run = await trace([call], { headStart, inject: { fault, call, n } })
      const own = callsIn(run, point.group)
      if (didFire(fault, run, own, point.index))
        return verdict(run.transcript, () => assertOneStep(fault, run))
      n = own[point.index]?.n ?? n
    }
    return { fired: false, failure: 'did not fire' }
  }

  /** A clock that is set is no reason for anything to fail, but for what refuses to go on and says why. */
  async function setClock(step: ClockStep): Promise<Outcome> {
    begin()
    const { transcript, stderr } = await runDriver([process.execPath, ...command], {
      ...env,
      [CLOCK_STEP]: JSON.stringify(step),
    })
    if (transcript.clockMs !== step.ms) return { fired: false, failure: `did not fire: ${stderr}` }
    return verdict(transcript, () => {
      assert.ok(transcript.ended, transcript.broke ?? stderr)
      const failed = transcript.steps.filter(({ outcome }) => outcome !== 'done')
      for (const { name, error = '' } of failed) assert.match(error, /set the clock/, name)
    })
  }

  return { count, breakCall, setClock }
}

/** That the fault befell the wanted one of the group's calls, by the log: a kill is the end of it. */
function didFire(
  fault: CallFault,
  { signal, code }: TracedRun,
  own: readonly Call[],
  index: number,
): boolean {
  if (!KILLS.includes(fault)) return own[index]?.text.endsWith('(INJECTED)') ?? false
  return (signal === 'SIGKILL' || code === 128 + 9) && own.length === index + 1
}

const threadOf = ({ thread }: Call, { pid, workers }: Transcript): Thread => {
  if (thread === pid) return 'main'
  return workers.includes(thread) ? 'worker' : 'pool'
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}

const longest = (calls: readonly Call[]) =>
  Math.max(
    ...Map.groupBy(calls, ({ thread }) => thread)
      .values()
      .map(({ length }) => length),
  )

/** An error costs the step in which it comes, or the two that are committed together, or the whole process, which says why. */
function assertOneStep(fault: CallFault, { transcript, stderr, code }: TracedRun): void {
  if (KILLS.includes(fault)) return
  const failed = transcript.steps.filter(({ outcome }) => outcome !== 'done')
  assert.ok(transcript.ended || transcript.broke !== undefined, `it ended with ${code}: ${stderr}`)
  assert.ok(
    failed.length <= 2,
    `one fault, and these failed: ${failed.map(({ name, error }) => `${name} (${error})`).join(', ')}`,
  )
}
