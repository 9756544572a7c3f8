import type { LogEntry } from './event-log.ts'
import { framedLength, type MessageOpcode, writeFramed } from './web-socket-frame.ts'

/** How an entry becomes the payload of a message; `undefined` where it has none on this stream. */
export type MessageOf = (entry: LogEntry) => Uint8Array | undefined

/** Consecutive entries with their messages framed back to back in one buffer, for any number of readers to share. */
export interface FramePage {
  readonly entries: readonly LogEntry[]
  readonly bytes: Uint8Array
  /** Where the message of entry `i` begins; one more value than entries. */
  readonly offsets: Float64Array
  readonly lastSeq: number
}

/** Frames a batch, once. */
export function createFramePage(
  entries: readonly LogEntry[],
  opcode: MessageOpcode,
  messageOf?: MessageOf,
): FramePage {
  const payloads = entries.map((entry) => (messageOf ? messageOf(entry) : entry.payload))
  let length = 0
  for (const payload of payloads) if (payload) length += framedLength(payload.length)
  const bytes = Buffer.allocUnsafeSlow(length)
  const offsets = new Float64Array(entries.length + 1)
  let end = 0
  for (const [i, payload] of payloads.entries()) {
    if (payload) end = writeFramed(bytes, end, payload, opcode)
    offsets[i + 1] = end
  }
  // Where the message is the payload, the page is the only copy that is kept.
  const kept = messageOf ? entries : entries.map((entry, i) => withPayloadIn(bytes, offsets[i + 1]!, entry))
  return { entries: kept, bytes, offsets, lastSeq: entries.at(-1)?.seq ?? 0 }
}

function withPayloadIn(bytes: Uint8Array, end: number, { seq, key, payload }: LogEntry): LogEntry {
  return { seq, key, payload: bytes.subarray(end - payload.length, end) }
}

/** The entries of a page from index `from` to before `to`, as few stretches of bytes as the selection allows. */
export function selectFrames(
  page: FramePage,
  from: number,
  to: number,
  select: ((entry: LogEntry) => boolean) | undefined,
): Uint8Array[] {
  const { bytes, offsets, entries } = page
  const stretches: Uint8Array[] = []
  const add = (start: number, end: number) => {
    if (start === 0 && end === bytes.length && end > 0) stretches.push(bytes)
    else if (end > start) stretches.push(bytes.subarray(start, end))
  }
  if (!select) {
    add(offsets[from]!, offsets[to]!)
    return stretches
  }
  let start = -1
  for (let i = from; i < to; i++)
    if (select(entries[i]!)) {
      if (start === -1) start = offsets[i]!
    } else if (start !== -1) {
      add(start, offsets[i]!)
      start = -1
    }
  if (start !== -1) add(start, offsets[to]!)
  return stretches
}

/** Index of the first entry after number `seq`; `entries.length` if there is none. */
export function indexAfter(entries: readonly LogEntry[], seq: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.seq <= seq) low = middle + 1
    else high = middle
  }
  return low
}
