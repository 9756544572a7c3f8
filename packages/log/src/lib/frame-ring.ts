import type { LogEntry } from './event-log.ts'
import { createFramePage, type FramePage, indexAfter, type MessageOf, selectFrames } from './frame-page.ts'
import type { MessageOpcode } from './web-socket-frame.ts'

export interface Stretch {
  readonly frames: readonly Uint8Array[]
  /** Number of the last entry considered, whether or not it was selected. */
  readonly position: number
}

/** The newest entries of the log, framed once. */
export interface FrameRing {
  /** Everything after this number, up to `last`, is in the ring. */
  readonly floor: number
  readonly last: number
  push(entries: readonly LogEntry[]): void
  /** What follows `position` (at or above the floor), about `maxBytes` of it. */
  take(position: number, maxBytes: number, select?: (entry: LogEntry) => boolean): Stretch
  /** Drops all entries of a key, as if they had never been. */
  forget(key: string): void
}

export interface FrameRingOptions {
  /** Number of the newest entry that is not in the ring. */
  readonly head: number
  readonly opcode: MessageOpcode
  readonly messageOf?: MessageOf | undefined
  /** Pages that hold more bytes than this let go of the oldest. The newest page always stays. */
  readonly maxBytes: number
}

export function createFrameRing({ head, opcode, messageOf, maxBytes }: FrameRingOptions): FrameRing {
  /** `pages[first]` is the oldest; what lies before is gone, and is cut off now and then. */
  let pages: (FramePage | undefined)[] = []
  let first = 0
  let floor = head
  let last = head
  let bytes = 0

  function evict(): void {
    while (bytes > maxBytes && pages.length - first > 1) {
      const page = pages[first]!
      pages[first++] = undefined
      bytes -= page.bytes.length
      floor = page.lastSeq
    }
    if (first > 64 && first * 2 > pages.length) {
      pages = pages.slice(first)
      first = 0
    }
  }

  /** Index of the first page that ends after `seq`. */
  function pageAfter(seq: number): number {
    let low = first
    let high = pages.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (pages[middle]!.lastSeq <= seq) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get floor() {
      return floor
    },
    get last() {
      return last
    },
    push: (entries) => {
      const page = createFramePage(entries, opcode, messageOf)
      pages.push(page)
      bytes += page.bytes.length
      last = page.lastSeq
      evict()
    },
    take: (position, maxBytes, select) => {
      const frames: Uint8Array[] = []
      let reached = position
      let taken = 0
      for (let p = pageAfter(position); p < pages.length && taken < maxBytes; p++) {
        const page = pages[p]!
        const from = indexAfter(page.entries, reached)
        let to = page.entries.length
        // A page may be as large as one append was; take of it what fits, but at least one entry.
        if (page.offsets[to]! - page.offsets[from]! > maxBytes - taken) {
          to = from + 1
          while (page.offsets[to + 1]! - page.offsets[from]! <= maxBytes - taken) to++
        }
        for (const stretch of selectFrames(page, from, to, select)) frames.push(stretch)
        taken += page.offsets[to]! - page.offsets[from]!
        if (to < page.entries.length) return { frames, position: page.entries[to - 1]!.seq }
        reached = page.lastSeq
      }
      return { frames, position: reached }
    },
    forget: (key) => {
      for (let p = first; p < pages.length; p++) {
        const page = pages[p]!
        const kept = page.entries.filter((entry) => entry.key !== key)
        if (kept.length === page.entries.length) continue
        const smaller = { ...createFramePage(kept, opcode, messageOf), lastSeq: page.lastSeq }
        bytes += smaller.bytes.length - page.bytes.length
        pages[p] = smaller
      }
    },
  }
}
