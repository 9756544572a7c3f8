import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClockStep, clockSteps } from './clock-step.ts'
import { CALLS, type Fault, USUAL_FAULTS } from './fault.ts'
import type { Flow } from './flow.ts'
import type { Thread } from './head-start.ts'
import {
  type CallGroup,
  type CallPoint,
  type Counted,
  createPlayer,
  type Outcome,
  type Player,
} from './player.ts'
import { writeScene } from './scene.ts'
import { CALL_FAULTS } from './strace.ts'

export interface FaultRunOptions {
  /** Of all the points one in so many is broken. Default 1: all. */
  readonly every?: number
  /** Which of so many, from 0. Default: the one in the middle. */
  readonly offset?: number
  /** Of a kind at most so many, evenly spread. Default: no bound. */
  readonly most?: Readonly<Partial<Record<Fault, number>>>
  /** Names of system calls. Default: all that a fault can befall. */
  readonly only?: readonly string[]
  /** Only calls of this thread. Default: of all. */
  readonly thread?: Thread
  /** Default: those that befall every flow, and those that the flow itself names. */
  readonly faults?: readonly Fault[]
  readonly onPoint?: (done: number, total: number) => void
  /** Folder for what the driver is compiled to, which would take most of its time otherwise. Default: one of its own. */
  readonly compiled?: string
}

export interface FaultTally {
  readonly fault: Fault
  /** Places in the flow that it can befall. */
  readonly points: number
  /** Those that it was to befall in this run. */
  readonly chosen: number
  /** Those that it did befall, each proved by the log of the process or its own words. */
  readonly hit: number
  /** What was wrong afterwards, and faults that did not fire. */
  readonly failures: readonly string[]
}

export interface FlowReport {
  readonly flow: string
  readonly tallies: readonly FaultTally[]
  readonly ms: number
}

/** A fault at one place. */
interface Strike {
  readonly where: string
  run(): Promise<Outcome>
}

/**
 * Plays a flow once for each of its system calls and breaks that call, and once for each of its steps with another time;
 * checks what is left each time.
 * @throws {Error} when the flow does not come to its end without a fault.
 */
export async function runFaults(flow: Flow, options: FaultRunOptions = {}): Promise<FlowReport> {
  const { faults = [...USUAL_FAULTS, ...(flow.alsoBy ?? [])], only = CALLS, onPoint } = options
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), `imago-faults-${flow.name}-`))
  try {
    const base = join(folder, 'base')
    mkdirSync(base)
    writeScene(base, await flow.prepare(base))
    const player = createPlayer(flow, folder, options.compiled ?? join(folder, 'compiled'))
    const counted = await player.count(only)
    const plans = faults.map((fault) => {
      const all = strikesOf(fault, counted, player, options)
      return { fault, all, chosen: choose(all, fault, options) }
    })
    const total = plans.reduce((sum, { chosen }) => sum + chosen.length, 0)
    let done = 0
    const tallies: FaultTally[] = []
    for (const { fault, all, chosen } of plans) {
      const failures: string[] = []
      let hit = 0
      for (const { where, run } of chosen) {
        const { fired, failure } = await run()
        if (fired) hit++
        if (failure !== undefined) failures.push(`${flow.name}: ${fault} ${where}: ${failure}`)
        onPoint?.(++done, total)
      }
      tallies.push({ fault, points: all.length, chosen: chosen.length, hit, failures })
    }
    return { flow: flow.name, tallies, ms: performance.now() - startedAt }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function strikesOf(
  fault: Fault,
  { groups, steps }: Counted,
  player: Pick<Player, 'breakCall' | 'setClock'>,
  { only = CALLS, thread }: FaultRunOptions,
): Strike[] {
  if (fault === 'clock')
    return clockSteps(steps).map((step) => ({ where: ofStep(step), run: () => player.setClock(step) }))
  const calls: readonly string[] = CALL_FAULTS[fault].calls
  const broken = groups.filter(
    (group) =>
      calls.includes(group.call) && only.includes(group.call) && (thread ?? group.thread) === group.thread,
  )
  return pointsOf(broken).map((point) => ({
    where: ofCall(point),
    run: () => player.breakCall(fault, point),
  }))
}

function choose(
  all: readonly Strike[],
  fault: Fault,
  { every = 1, offset, most = {} }: FaultRunOptions,
): Strike[] {
  const stride = Math.max(every, Math.ceil(all.length / (most[fault] ?? Number.POSITIVE_INFINITY)))
  return all.filter((_, index) => index % stride === (offset ?? stride >> 1) % stride)
}

const pointsOf = (groups: readonly CallGroup[]): CallPoint[] =>
  groups.flatMap((group) => Array.from({ length: group.count }, (_, index) => ({ group, index })))

const ofCall = ({ group: { call, thread }, index }: CallPoint) =>
  `at ${call} ${index + 1} of the ${thread} thread`

const ofStep = ({ before, ms }: ClockStep) => `set by ${ms / 60_000} minutes before step ${before + 1}`
