import { LogError } from './errors.ts'
import type { LogEntry } from './event-log.ts'
import type { LogFile } from './log-files.ts'
import {
  containsMark,
  decodeRecord,
  HEADER_BYTES,
  type SegmentHeader,
  type SegmentRecord,
} from './segment-format.ts'

const INDEX_EVERY_BYTES = 256 * 1024
const CHUNK_BYTES = 1024 * 1024

/** A sparse index: record boundaries with the greatest number before each, both ascending. */
export interface SegmentIndex {
  readonly seqs: number[]
  readonly offsets: number[]
}

/** An index that knows the beginning only. */
export function createIndex(base: number): SegmentIndex {
  return { seqs: [base], offsets: [HEADER_BYTES] }
}

/** Adds a boundary, where the last one is far enough behind. */
export function extendIndex(index: SegmentIndex, seqBefore: number, offset: number): void {
  if (offset - index.offsets.at(-1)! < INDEX_EVERY_BYTES) return
  index.seqs.push(seqBefore)
  index.offsets.push(offset)
}

/** Where to begin looking for the entries after number `seq`. */
export function offsetFor({ seqs, offsets }: SegmentIndex, seq: number): number {
  let low = 0
  let high = seqs.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (seqs[middle]! <= seq) low = middle
    else high = middle
  }
  return offsets[low]!
}

/** What walking a segment from its header on found. */
export interface SegmentScan {
  readonly index: SegmentIndex
  /** End of the last whole batch. */
  readonly soundBytes: number
  /** Number of the last entry in it. */
  readonly head: number
  readonly entries: number
  /** Earliest (else infinity) and latest (else 0) time of the entries, ms since the Unix epoch. */
  readonly firstMs: number
  readonly lastMs: number
}

/**
 * Walks the batches of a segment up to `size`, or to the first that is not whole and sound.
 * @throws {LogError} `Corrupt` when sound records are out of order, which no torn write explains.
 */
export async function scanSegment(
  file: LogFile,
  path: string,
  header: SegmentHeader,
  size: number,
): Promise<SegmentScan> {
  const index = createIndex(header.base)
  let sound = {
    soundBytes: HEADER_BYTES,
    head: header.base,
    entries: 0,
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: 0,
  }
  let { head, entries, firstMs, lastMs } = sound
  let batchEnd = HEADER_BYTES

  await walk(file, { start: HEADER_BYTES, end: size, chunkBytes: CHUNK_BYTES }, (record, offset) => {
    if (record.kind === 'mark') {
      if (offset !== batchEnd || !record.marker.equals(header.marker)) return false
      if (record.head !== head)
        throw corrupt(path, offset, `a batch after ${record.head} follows entry ${head}`)
      batchEnd = offset + record.length + record.batchBytes
      return true
    }
    if (record.kind !== 'entry' || offset + record.length > batchEnd) return false
    if (record.entry.seq <= head)
      throw corrupt(path, offset, `entry ${record.entry.seq} follows entry ${head}`)
    head = record.entry.seq
    firstMs = Math.min(firstMs, record.timeMs)
    lastMs = Math.max(lastMs, record.timeMs)
    entries++
    if (offset + record.length === batchEnd) {
      sound = { soundBytes: batchEnd, head, entries, firstMs, lastMs }
      extendIndex(index, head, batchEnd)
    }
    return true
  })
  return { index, ...sound }
}

/** Whether a batch begins behind `offset`: then what lies at `offset` is damage, and no torn write. */
export async function hasBatchAfter(
  file: LogFile,
  marker: Uint8Array,
  offset: number,
  size: number,
): Promise<boolean> {
  const rest = Buffer.allocUnsafe(size - offset)
  const length = await file.read(rest, offset)
  return containsMark(rest.subarray(0, length), marker)
}

/** Bytes of a segment, from a record boundary on, and how many of them to ask the disk for at a time. */
export interface Stretch {
  readonly start: number
  readonly end: number
  readonly chunkBytes: number
}

/** Takes entries as they come; `false` ends the reading. */
export type Take = (entry: LogEntry) => boolean

/**
 * Reads the entries after number `after` from a durable stretch of a segment. Returns whether `take`
 * wants more.
 * @throws {LogError} `Corrupt`
 */
export async function readSegment(
  file: LogFile,
  path: string,
  stretch: Stretch,
  after: number,
  take: Take,
): Promise<boolean> {
  let wantsMore = true
  await walk(file, stretch, (record, offset) => {
    if (record.kind === 'short' || record.kind === 'damaged')
      throw corrupt(
        path,
        offset,
        `a record is ${record.kind === 'short' ? 'cut off' : 'not what was written'}`,
      )
    if (record.kind === 'entry' && record.entry.seq > after) wantsMore = take(record.entry)
    return wantsMore
  })
  return wantsMore
}

/** Shows the records from `start` on, in order, until `visit` has enough, the first unsound one (shown, too) or `end`. */
async function walk(
  file: LogFile,
  { start, end, chunkBytes }: Stretch,
  visit: (record: SegmentRecord, offset: number) => boolean,
): Promise<void> {
  let offset = start
  let wanted = chunkBytes
  while (offset < end) {
    // Each chunk is a buffer of its own, for the payloads handed out are views into it.
    const space = Buffer.allocUnsafeSlow(Math.min(wanted, end - offset))
    const chunk = space.subarray(0, await file.read(space, offset))
    if (chunk.length === 0) return void visit({ kind: 'short', length: 0 }, offset)
    let at = 0
    wanted = chunkBytes
    while (at < chunk.length) {
      const record = decodeRecord(chunk, at)
      if (record.kind === 'short' && chunk.length === space.length && offset + at + record.length <= end) {
        // Cut off by the chunk, not by the end: the next chunk begins with it, and is large enough.
        wanted = Math.max(chunkBytes, record.length)
        break
      }
      if (!visit(record, offset + at) || record.kind === 'short' || record.kind === 'damaged') return
      at += record.length
    }
    offset += at
  }
}

export function corrupt(path: string, offset: number, what: string): LogError {
  return new LogError(
    'Corrupt',
    `${path} is damaged at byte ${offset}: ${what}. Restore the log from a backup`,
  )
}
