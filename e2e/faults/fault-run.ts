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

/** A call of the flow that can be broken. */
interface Point {
  readonly call: string
  readonly thread: Thread
  /** The thread's n-th such call, the head start counted. */
  readonly n: number
  readonly headStart: HeadStart | undefined
}

export interface FaultRunOptions {
  /** Of all the points one in so many is broken. Default 1: all. */
  readonly every?: number
  /** Which of so many. Default 0. */
  readonly offset?: number
  /** Default: all kinds. */
  readonly faults?: readonly Fault[]
  readonly onPoint?: (done: number, total: number) => void
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
/** A call that came elsewhere than in the count is not the wanted one: again. */
const ATTEMPTS = 4

/**
 * Plays a flow once for each of its system calls, breaks that call, and checks what is left.
 * @throws {Error} when the flow does not come to its end without a fault.
 */
export async function runFaults(flow: Flow, options: FaultRunOptions = {}): Promise<FlowReport> {
  const { every = 1, offset = 0, faults = Object.keys(FAULTS) as Fault[], onPoint } = options
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), `imago-faults-${flow.name}-`))
  try {
    const base = join(folder, 'base')
    mkdirSync(base)
    writeScene(base, await flow.prepare(base))
    const player = createPlayer(flow, folder, base)
    const calls = [...new Set(faults.flatMap((fault) => FAULTS[fault].calls))]
    const byCall = await player.countPoints(calls)
    const wanted = faults.map((fault) => ({
      fault,
      all: FAULTS[fault].calls.flatMap((call) => byCall.get(call) ?? []),
    }))
    const isChosen = (_: Point, index: number) => index % every === offset % every
    const total = wanted.reduce((sum, { all }) => sum + all.filter(isChosen).length, 0)
    let done = 0
    const tallies: FaultTally[] = []
    for (const { fault, all } of wanted) {
      const failures: string[] = []
      let hit = 0
      for (const point of all.filter(isChosen)) {
        const { fired, failure } = await player.breakAt(fault, point)
        if (fired) hit++
        if (failure !== undefined) failures.push(`${flow.name}: ${fault} at ${describe(point)}: ${failure}`)
        onPoint?.(++done, total)
      }
      tallies.push({ fault, points: all.length, hit, failures })
    }
    return { flow: flow.name, tallies, ms: performance.now() - startedAt }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const describe = ({ call, thread, n, headStart }: Point) =>
  `${call} ${n - (headStart?.times ?? 0)} of the ${thread} thread`

function createPlayer(flow: Flow, folder: string, base: string) {
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
      // What the driver is compiled to outlives it: most of its time would go there otherwise.
      env: { NODE_COMPILE_CACHE: join(folder, 'compiled') },
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

  /** Every call on files of the flow, by its name. */
  async function countPoints(names: readonly string[]): Promise<Map<string, Point[]>> {
    await playWhole(names)
    const { transcript, calls } = await playWhole(names)
    await checkAftermath(flow, { root, scene: readScene(root), transcript })
    const threadOf = ({ thread }: Call): Thread => (thread === transcript.pid ? 'main' : 'pool')
    const points = new Map<string, Point[]>()
    for (const [name, ofName] of Map.groupBy(calls, ({ name }) => name)) {
      const found: Point[] = []
      const ours = Map.groupBy(ofName.filter(isOurs), threadOf)
      assert.ok(
        new Set(ours.get('pool')?.map(({ thread }) => thread)).size <= 1,
        'one thread for file operations',
      )
      for (const [thread, own] of ours) {
        const others = ofName.filter((call) => call.thread !== own[0]!.thread)
        const headStart =
          others.length === 0 ? undefined : { thread, call: name, times: longest(others) + MARGIN }
        if (headStart === undefined) found.push(...own.map(({ n }) => ({ call: name, thread, n, headStart })))
        else found.push(...(await countAhead(headStart)))
      }
      points.set(name, found)
    }
    return points
  }

  /** The same again with a head start: the numbers are others then. */
  async function countAhead(headStart: HeadStart): Promise<Point[]> {
    const { thread, call } = headStart
    assert.ok(canHaveHeadStart(call), `two threads call ${call}: it needs a head start`)
    const run = await playWhole([call], headStart)
    return run.calls
      .filter((one) => isOurs(one) && (one.thread === run.transcript.pid) === (thread === 'main'))
      .map(({ n }) => ({ call, thread, n, headStart }))
  }

  async function breakAt(fault: Fault, point: Point): Promise<{ fired: boolean; failure?: string }> {
    const { call, n, headStart } = point
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const run = await play([call], { headStart, inject: { fault, call, n } })
      if (!didFire(fault, run)) continue
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

  /** That the fault befell a call on a file of the flow, by the log. */
  function didFire(fault: Fault, { calls, signal, code }: TracedRun): boolean {
    if (fault !== 'kill') return calls.some((call) => call.text.endsWith('(INJECTED)') && isOurs(call))
    const last = calls.at(-1)
    return (signal === 'SIGKILL' || code === 128 + 9) && last !== undefined && isOurs(last)
  }

  return { countPoints, breakAt }
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
