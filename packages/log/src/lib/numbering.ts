import { LogError } from './errors.ts'
import type { LogEntry, NewEntry, NextSeq } from './event-log.ts'

/** Consecutive numbers: the default. */
export const countUp: NextSeq = (previous) => previous + 1

const MAX_KEY_BYTES = 0xffff
// No UTF-16 unit takes more than three bytes of UTF-8, so most keys need no measuring.
const KEY_SURELY_FITS = MAX_KEY_BYTES / 3

/**
 * Gives each entry the number after the one before it, and encodes it with that number. Pure: the caller decides whether
 * the numbers count as used.
 * @throws {LogError} `InvalidEntry` when `nextSeq` does not go up or a key is too long; and whatever `encode` throws.
 */
export function numberEntries(entries: readonly NewEntry[], head: number, nextSeq: NextSeq): LogEntry[] {
  let previous = head
  return entries.map((entry) => {
    const seq = nextSeq(previous)
    if (!Number.isSafeInteger(seq) || seq <= previous)
      throw new LogError(
        'InvalidEntry',
        `sequence number ${seq} does not follow ${previous}: it must be a greater safe integer`,
      )
    if (entry.key.length > KEY_SURELY_FITS && Buffer.byteLength(entry.key) > MAX_KEY_BYTES)
      throw new LogError(
        'InvalidEntry',
        `key '${entry.key.slice(0, 40)}…' is longer than ${MAX_KEY_BYTES} bytes`,
      )
    previous = seq
    return { seq, key: entry.key, payload: entry.encode(seq) }
  })
}
