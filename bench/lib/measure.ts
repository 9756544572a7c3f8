import { type Figure, summarize } from './figure.ts'

/** One call of the work to be measured; `i` counts calls, to choose an input by. */
export type Work = (i: number) => unknown

export interface MeasureOptions {
  /** How often each candidate is measured. Default: 7. */
  readonly runs?: number
  /** Processor time of one run. Default: 100. */
  readonly runMs?: number
  /** Processor time that each candidate gets before anything counts. Default: 300. */
  readonly warmUpMs?: number
  /** Microseconds of processor time used so far. Default: that of this process, all its threads. */
  readonly cpuMicros?: () => number
}

/**
 * Processor time of one call of each candidate, in µs, over several runs. The candidates take turns, first to last and
 * last to first, so that what else the machine does and what one leaves behind for the next meets all of them alike. The
 * garbage collector is left alone: told to clear everything away, it takes the room for young objects with it, and whatever
 * makes many of them is half as fast for a while (measured).
 *
 * Processor time, not time on the clock: it is what the work takes of one core, helper threads of the garbage collector
 * included, and waiting for a core that somebody else uses does not count.
 */
export function measure<Candidates extends Readonly<Record<string, Work>>>(
  candidates: Candidates,
  { runs = 7, runMs = 100, warmUpMs = 300, cpuMicros = processMicros }: MeasureOptions = {},
): { [Name in keyof Candidates]: Figure } {
  const lanes = Object.entries<Work>(candidates).map(([name, work]) => {
    const lane: Lane = { name, work, calls: 1, next: 0, runs: [] }
    for (let spentMs = 0; spentMs < warmUpMs; ) {
      const micros = timeCalls(lane, cpuMicros)
      spentMs += micros / 1000
      const callsPerRun = Math.ceil((lane.calls * runMs * 1000) / Math.max(micros, 1))
      // Twice as many at most: the first calls say little about those that follow.
      lane.calls = Math.min(lane.calls * 2, callsPerRun)
    }
    return lane
  })
  for (let run = 0; run < runs; run++)
    for (const lane of run % 2 === 0 ? lanes : lanes.toReversed())
      lane.runs.push(timeCalls(lane, cpuMicros) / lane.calls)
  return Object.fromEntries(lanes.map(({ name, runs }) => [name, summarize(runs)])) as {
    [Name in keyof Candidates]: Figure
  }
}

/** Of a time in µs, how many fit into a second of one core. */
export const perSecond = (micros: number): number => 1e6 / micros

interface Lane {
  readonly name: string
  readonly work: Work
  /** Of one run. */
  calls: number
  /** Index of the next call. */
  next: number
  /** Microseconds of one call, run by run. */
  readonly runs: number[]
}

/** The last result, where the optimizer can see that somebody might want it: what nobody wants it leaves out. */
let kept: unknown
export const lastResult = (): unknown => kept

function timeCalls(lane: Lane, cpuMicros: () => number): number {
  const { work, next } = lane
  const end = (lane.next += lane.calls)
  const before = cpuMicros()
  for (let i = next; i < end; i++) kept = work(i)
  return cpuMicros() - before
}

function processMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
