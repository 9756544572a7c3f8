/** What several runs of the same work come to. */
export interface Figure {
  /** Of the runs. */
  readonly median: number
  /** How far the best and the worst run lie apart, as a part of the median: 0.1 is calm, 0.5 is noise. */
  readonly spread: number
}

/** @throws {RangeError} when there are no runs. */
export function summarize(runs: readonly number[]): Figure {
  const middle = median(runs)
  return { median: middle, spread: (Math.max(...runs) - Math.min(...runs)) / middle }
}

/**
 * A tail of latencies, of the best run: what else happens on the machine only ever adds to it, and one such moment in a
 * hundred requests is all that it shows. The spread is that of all runs.
 * @throws {RangeError} when there are no runs.
 */
export function tail(runs: readonly number[]): {
  readonly best: number
  readonly middle: number
  readonly spread: number
} {
  const { median: middle, spread } = summarize(runs)
  return { best: Math.min(...runs), middle, spread }
}

/**
 * The middle one of some runs, or the mean of the middle two.
 * @throws {RangeError} when there are none.
 */
export function median(runs: readonly number[]): number {
  if (runs.length === 0) throw new RangeError('the median of no runs')
  const sorted = runs.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
