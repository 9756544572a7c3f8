/** A clock that moves only when a test moves it. Milliseconds since the Unix epoch. */
export interface ManualClock {
  /** Pass this wherever production code takes `now: () => number`. */
  readonly now: () => number
  advance(ms: number): void
  set(ms: number): void
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let current = startMs
  return {
    now: () => current,
    advance: (ms) => {
      current += ms
    },
    set: (ms) => {
      current = ms
    },
  }
}
