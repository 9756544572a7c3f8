/** Pauses between attempts that keep failing. */
export interface Backoff {
  /** The pause before the next attempt, in milliseconds. */
  next(): number
  /** Attempts that failed since the last reset. */
  readonly failures: number
  reset(): void
}

/**
 * Exponential backoff with jitter: the n-th pause lies between half and the whole of `baseMs` · 2ⁿ⁻¹, and of `maxMs` at
 * most, so that clients which were cut off together do not come back together.
 * @param random 0 ≤ r < 1
 */
export function createBackoff(baseMs: number, maxMs: number, random: () => number): Backoff {
  let failures = 0
  return {
    next() {
      const whole = Math.min(maxMs, baseMs * 2 ** failures++)
      return whole / 2 + (random() * whole) / 2
    },
    get failures() {
      return failures
    },
    reset() {
      failures = 0
    },
  }
}
