import { crc32 } from 'node:zlib'
import type { LogEntry } from './event-log.ts'

/*
 * A segment is a header, then batches. A batch is what one flush wrote: a mark, then entries. All integers are
 * big-endian; u64 values are safe integers.
 *
 *   header   magic 8 · version u32 · crc u32 (of the rest) · base u64 · ordinal u64 · previous u64 (ms) · marker 16
 *   record   crc u32 (of the rest) · length u32 (of all) · seq u64 · time u64 (ms) · kind u16 · key length u16 · key · payload
 *
 * A mark is a record whose payload is the marker and the byte length (u32) of the entries that follow it. The marker is
 * random for each segment, so that no event can carry a forged mark: it is how recovery tells a torn tail (no later
 * batch exists, for a batch is written only after the one before it is durable) from damage in the middle.
 */

const MAGIC = Buffer.from('imagolog')
const VERSION = 1
export const HEADER_BYTES = 56
export const MARKER_BYTES = 16
const RECORD_BYTES = 28
const MARK_BYTES = RECORD_BYTES + MARKER_BYTES + 4
const KIND_MARK = 1
const KIND_ENTRY = 2

/** What the first bytes of a segment say. */
export interface SegmentHeader {
  /** Number of the last entry before this segment. */
  readonly base: number
  /** How many entries were appended before this segment, since the log began. */
  readonly ordinal: number
  /** Latest time of any entry in the segment before this one, ms since the Unix epoch; 0 if there is none. */
  readonly previousMs: number
  readonly marker: Uint8Array
}

function writeInteger(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), offset)
  target.writeUInt32BE(value >>> 0, offset + 4)
}

function readInteger(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * 2 ** 32 + source.readUInt32BE(offset + 4)
}

export function encodeHeader({ base, ordinal, previousMs, marker }: SegmentHeader): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32BE(VERSION, 8)
  writeInteger(header, base, 16)
  writeInteger(header, ordinal, 24)
  writeInteger(header, previousMs, 32)
  header.set(marker, 40)
  header.writeUInt32BE(crc32(header.subarray(16)), 12)
  return header
}

/** The header, or `undefined` when these bytes are not a whole and sound one of a version we know. */
export function decodeHeader(header: Buffer): SegmentHeader | undefined {
  if (header.length < HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC)) return undefined
  if (header.readUInt32BE(8) !== VERSION) return undefined
  if (header.readUInt32BE(12) !== crc32(header.subarray(16, HEADER_BYTES))) return undefined
  return {
    base: readInteger(header, 16),
    ordinal: readInteger(header, 24),
    previousMs: readInteger(header, 32),
    marker: Uint8Array.from(header.subarray(40, HEADER_BYTES)),
  }
}

/** An entry with the time of its append. */
export interface TimedEntry {
  readonly entry: LogEntry
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number
}

/** About how many bytes an entry adds to a segment. */
export function entryBytes({ key, payload }: LogEntry): number {
  return RECORD_BYTES + key.length + payload.length
}

function writeRecordHeader(
  target: Buffer,
  offset: number,
  record: { length: number; seq: number; timeMs: number; kind: number; keyLength: number },
): void {
  target.writeUInt32BE(record.length, offset + 4)
  writeInteger(target, record.seq, offset + 8)
  writeInteger(target, record.timeMs, offset + 16)
  target.writeUInt16BE(record.kind, offset + 24)
  target.writeUInt16BE(record.keyLength, offset + 26)
}

function seal(target: Buffer, offset: number, length: number): void {
  target.writeUInt32BE(crc32(target.subarray(offset + 4, offset + length)), offset)
}

/** The bytes of one flush. `head` is the number before its first entry. */
export function encodeBatch(marker: Uint8Array, head: number, entries: readonly TimedEntry[]): Buffer {
  const keys = entries.map(({ entry }) => Buffer.byteLength(entry.key))
  let total = MARK_BYTES
  for (const [i, { entry }] of entries.entries()) total += RECORD_BYTES + keys[i]! + entry.payload.length
  const batch = Buffer.allocUnsafeSlow(total)

  writeRecordHeader(batch, 0, {
    length: MARK_BYTES,
    seq: head,
    timeMs: entries[0]!.timeMs,
    kind: KIND_MARK,
    keyLength: 0,
  })
  batch.set(marker, RECORD_BYTES)
  batch.writeUInt32BE(total - MARK_BYTES, RECORD_BYTES + MARKER_BYTES)
  seal(batch, 0, MARK_BYTES)

  let at = MARK_BYTES
  for (const [i, { entry, timeMs }] of entries.entries()) {
    const keyLength = keys[i]!
    const length = RECORD_BYTES + keyLength + entry.payload.length
    writeRecordHeader(batch, at, { length, seq: entry.seq, timeMs, kind: KIND_ENTRY, keyLength })
    batch.write(entry.key, at + RECORD_BYTES)
    batch.set(entry.payload, at + RECORD_BYTES + keyLength)
    seal(batch, at, length)
    at += length
  }
  return batch
}

export type SegmentRecord =
  | {
      readonly kind: 'mark'
      readonly length: number
      readonly head: number
      readonly marker: Buffer
      readonly batchBytes: number
    }
  | { readonly kind: 'entry'; readonly length: number; readonly timeMs: number; readonly entry: LogEntry }
  /** The bytes end before the record does; it claims to take `length`, or more than are here to say so. */
  | { readonly kind: 'short'; readonly length: number }
  | { readonly kind: 'damaged' }

const DAMAGED: SegmentRecord = { kind: 'damaged' }

/** The record at `offset`, checksum verified. Keys and payloads of the result are copies or views into `bytes`. */
export function decodeRecord(bytes: Buffer, offset: number): SegmentRecord {
  const available = bytes.length - offset
  if (available < RECORD_BYTES) return { kind: 'short', length: RECORD_BYTES }
  const length = bytes.readUInt32BE(offset + 4)
  if (length < RECORD_BYTES) return DAMAGED
  if (available < length) return { kind: 'short', length }
  if (crc32(bytes.subarray(offset + 4, offset + length)) !== bytes.readUInt32BE(offset)) return DAMAGED

  const kind = bytes.readUInt16BE(offset + 24)
  const seq = readInteger(bytes, offset + 8)
  if (kind === KIND_MARK && length === MARK_BYTES) {
    const markerEnd = offset + RECORD_BYTES + MARKER_BYTES
    return {
      kind: 'mark',
      length,
      head: seq,
      marker: bytes.subarray(offset + RECORD_BYTES, markerEnd),
      batchBytes: bytes.readUInt32BE(markerEnd),
    }
  }
  const keyEnd = offset + RECORD_BYTES + bytes.readUInt16BE(offset + 26)
  if (kind !== KIND_ENTRY || keyEnd > offset + length) return DAMAGED
  return {
    kind: 'entry',
    length,
    timeMs: readInteger(bytes, offset + 16),
    entry: {
      seq,
      key: bytes.toString('utf8', offset + RECORD_BYTES, keyEnd),
      payload: bytes.subarray(keyEnd, offset + length),
    },
  }
}

/** Whether a sound mark of this segment begins anywhere in `bytes`. */
export function containsMark(bytes: Buffer, marker: Uint8Array): boolean {
  for (let at = bytes.indexOf(marker); at !== -1; at = bytes.indexOf(marker, at + 1)) {
    const start = at - RECORD_BYTES
    if (start >= 0 && decodeRecord(bytes, start).kind === 'mark') return true
  }
  return false
}
