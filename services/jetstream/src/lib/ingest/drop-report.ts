import type { Drop } from './translate-frame.ts'

const INTERVAL_MS = 10_000

/**
 * Tells of what was dropped without letting a bad relay fill the disk: the first drop of each ten seconds, with how many
 * went untold before it.
 */
export function createDropReport(
  now: () => number,
  tell: (drop: Drop, untold: number) => void,
): (drop: Drop) => void {
  let nextMs = Number.NEGATIVE_INFINITY
  let untold = 0
  return (drop) => {
    const nowMs = now()
    if (nowMs < nextMs) {
      untold++
      return
    }
    tell(drop, untold)
    nextMs = nowMs + INTERVAL_MS
    untold = 0
  }
}
