import type { PlcLog } from '@imago/identity/plc'

const HOUR_MS = 60 * 60 * 1000

/** How many operations a DID may have in a stretch of time. Those of the public directory. */
const WINDOWS = [
  { name: 'hour', ms: HOUR_MS, max: 10 },
  { name: 'day', ms: 24 * HOUR_MS, max: 30 },
  { name: 'week', ms: 7 * 24 * HOUR_MS, max: 100 },
] as const

/** A DID has changed too often. */
export class WriteLimitError extends Error {
  override readonly name = 'WriteLimitError'
  /** Operations that the window holds. */
  readonly limit: number
  /** When the next operation fits in. */
  readonly retryAfterMs: number

  constructor(message: string, limit: number, retryAfterMs: number) {
    super(message)
    this.limit = limit
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Whether a DID may have one more operation at a time. What was undone does not count; the genesis does. Recoveries
 * are not to be asked about: else whoever stole a key could use up the limit and shut the owner out.
 * @throws {WriteLimitError}
 */
export function checkWriteLimits(log: PlcLog, createdAt: number): void {
  for (const { name, ms, max } of WINDOWS) {
    const recent = log.entries.filter((entry) => !entry.nullified && entry.createdAt > createdAt - ms)
    const blocking = recent.at(-max)
    if (blocking !== undefined)
      throw new WriteLimitError(
        `To many operations within last ${name} (max ${max})`,
        max,
        blocking.createdAt + ms - createdAt,
      )
  }
}
