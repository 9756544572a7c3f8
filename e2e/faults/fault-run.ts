import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkAftermath } from './aftermath.ts'
import type { Flow } from './flow.ts'
import { canHaveHeadStart, type HeadStart, type Thread } from './head-start.ts'
import { readScene, writeScene } from './scene.ts'
import { type Call, FAULTS, type Fault, runTraced, type TracedRun } from './strace.ts'

const driver = fileURLToPath(new URL('driver.ts', import.meta.url))

/** Calls of one name that one thread makes on files of the flow. */
interface CallGroup {
  readonly call: string
  readonly thread: Thread
  readonly count: number
  readonly headStart: HeadStart | undefined
  /** Where they stand among all such calls of the thread, from 1, the head start counted. */
  numbers(): Promise<readonly number[]>
}

/** A call of the flow that can be broken. */
interface Point {
  readonly group: CallGroup
  /** Among the calls of the group, from 0. */
  readonly index: number
}

export interface FaultRunOptions {
  /** Of all the points one in so many is broken. Default 1: all. */
  readonly every?: number
  /** Which of so many, from 0. Default: the one in the middle. */
  readonly offset?: number
  /** Of a kind at most so many, evenly spread. Default: no bound. */
  readonly most?: Readonly<Partial<Record<Fault, number>>>
  /** Names of system calls. Default: all that a fault can befall. */
  readonly only?: readonly string[]
  /** Default: all kinds. */
  readonly faults?: readonly Fault[]
  readonly onPoint?: (done: number, total: number) => void
  /** Folder for what the driver is compiled to, which would take most of its time otherwise. Default: one of its own. */
  readonly compiled?: string
}

export interface FaultTally {
  readonly fault: Fault
  /** Calls of the flow that can be broken so. */
  readonly points: number
  /** Those that were, each proved by the log. */
  readonly hit: number
  /** What was wrong afterwards, and faults that did not fire. */
  readonly failures: readonly string[]
}

export interface FlowReport {
  readonly flow: string
  readonly tallies: readonly FaultTally[]
  readonly ms: number
}

/** More than the calls that differ from run to run, such as the wake-ups between threads. */
const MARGIN = 40
/**
 * A call that came elsewhere than in the count is not the wanted one: again, with the number that it had this time. That
 * happens to `write`, by which threads also wake one another.
 */
const ATTEMPTS = 10

/**
 * Plays a flow once for each of its system calls, breaks that call, and checks what is left.
 * @throws {Error} when the flow does not come to its end without a fault.
 */
export async function runFaults(flow: Flow, options: FaultRunOptions = {}): Promise<FlowReport> {
  const { every = 1, most = {}, onPoint } = options
  const { faults = Object.keys(FAULTS) as Fault[], only } = options
  const canBreak = (fault: Fault, call: string) =>
    (FAULTS[fault].calls as readonly string[]).includes(call) && (only?.includes(call) ?? true)
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), `imago-faults-${flow.name}-`))
  try {
    const base = join(folder, 'base')
    mkdirSync(base)
    writeScene(base, await flow.prepare(base))
    const player = createPlayer(flow, {
      folder,
      base,
      compiled: options.compiled ?? join(folder, 'compiled'),
    })
    const groups = await player.count([...new Set(faults.flatMap((fault) => FAULTS[fault].calls))])
    const plans = faults.map((fault) => {
      const points = pointsOf(groups.filter(({ call }) => canBreak(fault, call)))
      const stride = Math.max(every, Math.ceil(points.length / (most[fault] ?? Number.POSITIVE_INFINITY)))
      const offset = options.offset ?? stride >> 1
      return { fault, points, chosen: points.filter((_, index) => index % stride === offset % stride) }
    })
    const total = plans.reduce((sum, { chosen }) => sum + chosen.length, 0)
    let done = 0
    const tallies: FaultTally[] = []
    for (const { fault, points, chosen } of plans) {
      const failures: string[] = []
      let hit = 0
      for (const point of chosen) {
        const { fired, failure } = await player.breakAt(fault, point)
        if (fired) hit++
        if (failure !== undefined) failures.push(`${flow.name}: ${fault} at ${describe(point)}: ${failure}`)
        onPoint?.(++done, total)
      }
      tallies.push({ fault, points: points.length, hit, failures })
    }
    return { flow: flow.name, tallies, ms: performance.now() - startedAt }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const pointsOf = (groups: readonly CallGroup[]): Point[] =>
  groups.flatMap((group) => Array.from({ length: group.count }, (_, index) => ({ group, index })))

const describe = ({ group: { call, thread }, index }: Point) => `${call} ${index + 1} of the ${thread} thread`

function createPlayer(
  flow: Flow,
  { folder, base, compiled }: { folder: string; base: string; compiled: string },
) {
  const root = join(folder, 'work')
  const isOurs = ({ text }: Call) => text.includes(`${root}/`)

  function play(
    calls: readonly string[],
    more: Pick<Parameters<typeof runTraced>[0], 'headStart' | 'inject'> = {},
  ) {
    rmSync(root, { recursive: true, force: true })
    cpSync(base, root, { recursive: true })
    return runTraced({
      command: [driver, flow.name, root],
      env: { NODE_COMPILE_CACHE: compiled },
      log: join(folder, 'log'),
      calls,
      ...more,
    })
  }

  async function playWhole(calls: readonly string[], headStart?: HeadStart): Promise<TracedRun> {
    const run = await play(calls, { headStart })
    assert.ok(run.transcript.ended, `${flow.name} without a fault: ${run.transcript.broke ?? run.stderr}`)
    assert.deepEqual(
      run.transcript.steps.filter(({ outcome }) => outcome !== 'done'),
      [],
    )
    return run
  }

  /** Every call on files of the flow. */
  async function count(names: readonly string[]): Promise<CallGroup[]> {
    const { transcript, calls } = await playWhole(names)
    await checkAftermath(flow, { root, scene: readScene(root), transcript })
    const groups: CallGroup[] = []
    for (const [call, ofName] of Map.groupBy(calls, ({ name }) => name)) {
      const byThread = Map.groupBy(ofName.filter(isOurs), (one) => threadOf(one, transcript.pid))
      const inPool = new Set(byThread.get('pool')?.map(({ thread }) => thread))
      assert.ok(inPool.size <= 1, 'one thread for file operations')
      for (const [thread, own] of byThread) {
        const others = ofName.filter((one) => one.thread !== own[0]!.thread)
        const headStart = others.length === 0 ? undefined : { thread, call, times: longest(others) + MARGIN }
        const numbers = once(async () =>
          headStart === undefined ? own.map(({ n }) => n) : await countAhead(headStart, own.length),
        )
        groups.push({ call, thread, count: own.length, headStart, numbers })
      }
    }
    return groups
  }

  /** The same again with a head start: the numbers are others then. */
  async function countAhead(headStart: HeadStart, expected: number): Promise<number[]> {
    const { thread, call } = headStart
    assert.ok(canHaveHeadStart(call), `two threads call ${call}: it needs a head start`)
    const numbers = callsIn(await playWhole([call], headStart), headStart).map(({ n }) => n)
    assert.equal(numbers.length, expected, `the ${thread} thread calls ${call} as often in every run`)
    return numbers
  }

  /** The calls of a group in another run. */
  const callsIn = ({ calls, transcript }: TracedRun, { call, thread }: Pick<CallGroup, 'call' | 'thread'>) =>
    calls.filter((one) => one.name === call && isOurs(one) && threadOf(one, transcript.pid) === thread)

  async function breakAt(fault: Fault, point: Point): Promise<{ fired: boolean; failure?: string }> {
    const { call, headStart, numbers } = point.group
    let n = (await numbers())[point.index]!
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const run = await play([call], { headStart, inject: { fault, call, n } })
      const own = callsIn(run, point.group)
      if (!didFire(fault, run, own, point.index)) {
        n = own[point.index]?.n ?? n
        continue
      }
      try {
        assertOneStep(fault, run)
        await checkAftermath(flow, { root, scene: readScene(root), transcript: run.transcript })
        return { fired: true }
      } catch (error) {
        return { fired: true, failure: `${(error as Error).stack}` }
      }
    }
    return { fired: false, failure: 'did not fire' }
  }

  /** That the fault befell the wanted one of the group's calls, by the log: a kill is the end of it. */
  function didFire(fault: Fault, { signal, code }: TracedRun, own: readonly Call[], index: number): boolean {
    if (fault !== 'kill') return own[index]?.text.endsWith('(INJECTED)') ?? false
    return (signal === 'SIGKILL' || code === 128 + 9) && own.length === index + 1
  }

  return { count, breakAt }
}

const threadOf = ({ thread }: Call, mainThread: number | undefined): Thread =>
  thread === mainThread ? 'main' : 'pool'

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
function assertOneStep(fault: Fault, { transcript, stderr, code }: TracedRun): void {
  if (fault === 'kill') return
  const failed = transcript.steps.filter(({ outcome }) => outcome !== 'done')
  assert.ok(transcript.ended || transcript.broke !== undefined, `it ended with ${code}: ${stderr}`)
  assert.ok(
    failed.length <= 2,
    `one fault, and these failed: ${failed.map(({ name, error }) => `${name} (${error})`).join(', ')}`,
  )
}
