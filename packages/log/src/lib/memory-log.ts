import { LogError } from './errors.ts'
import {
  DEFAULT_READ_BYTES,
  DEFAULT_READ_ENTRIES,
  type EventLog,
  type LogEntry,
  type NextSeq,
} from './event-log.ts'
import { createListeners } from './listeners.ts'
import { countUp, numberEntries } from './numbering.ts'

export interface MemoryLogOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly nextSeq?: NextSeq
  /** Number the log starts after. Default 0. */
  readonly startAfter?: number
}

/** A log that is gone with the process. For tests, and for streams that nobody replays. */
export function openMemoryLog({ now, nextSeq = countUp, startAfter = 0 }: MemoryLogOptions): EventLog {
  const listeners = createListeners()
  let stored: { readonly timeMs: number; readonly entry: LogEntry }[] = []
  let head = startAfter
  let oldest = startAfter + 1
  let closed = false

  return {
    get head() {
      return head
    },
    get oldest() {
      return oldest
    },
    append: async (entries) => {
      if (closed) throw new LogError('Closed', 'the memory log is closed')
      const added = numberEntries(entries, head, nextSeq)
      if (added.length === 0) return added
      const timeMs = now()
      for (const entry of added) stored.push({ timeMs, entry })
      head = added.at(-1)!.seq
      listeners.announce(added)
      return added
    },
    read: async (after, { entries = DEFAULT_READ_ENTRIES, bytes = DEFAULT_READ_BYTES } = {}) => {
      const found: LogEntry[] = []
      let taken = 0
      for (let i = firstAfter(stored, after); i < stored.length; i++) {
        const { entry } = stored[i]!
        found.push(entry)
        taken += entry.payload.length
        if (found.length >= entries || taken >= bytes) break
      }
      return found
    },
    subscribe: listeners.subscribe,
    prune: async (beforeMs) => {
      const kept = stored.findIndex(({ timeMs }) => timeMs >= beforeMs)
      const removed = stored.slice(0, kept === -1 ? stored.length : kept)
      if (removed.length === 0) return 0
      stored = stored.slice(removed.length)
      oldest = removed.at(-1)!.entry.seq + 1
      return removed.length
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
    },
  }
}

function firstAfter(stored: readonly { readonly entry: LogEntry }[], after: number): number {
  let low = 0
  let high = stored.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (stored[middle]!.entry.seq <= after) low = middle + 1
    else high = middle
  }
  return low
}
