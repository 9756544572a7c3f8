import { SyncError } from './sync-error.ts'

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const
const SEQ = [0x73, 0x65, 0x71] as const

/**
 * A frame as it is, but for its place in the stream. The body is not decoded, so that fields which nobody here knows
 * pass through; the frame may change its length with the length of the number.
 * @param frame a message: a header and a body, both DRISL. Not written to.
 * @param seq from 1 to 2⁵³ − 1.
 * @throws {SyncError} InvalidFrame when it is no such frame, or has no seq.
 * @throws {RangeError} when `seq` is out of range.
 * @see https://atproto.com/specs/event-stream#framing
 */
export function spliceSeq(frame: Uint8Array, seq: number): Uint8Array {
  if (!Number.isSafeInteger(seq) || seq < 1)
    throw new RangeError(`a seq is a whole number from 1 to ${Number.MAX_SAFE_INTEGER}, not ${seq}`)
  const start = seqOffset(frame)
  const end = skipItem(frame, start)
  const width = seq < 24 ? 1 : seq < 0x100 ? 2 : seq < 0x1_0000 ? 3 : seq < 0x1_0000_0000 ? 5 : 9
  const spliced = new Uint8Array(frame.length - (end - start) + width)
  spliced.set(frame.subarray(0, start))
  if (width === 1) spliced[start] = seq
  else {
    // Heads 0x18 to 0x1b announce 1, 2, 4 and 8 bytes.
    spliced[start] = 0x18 + Math.log2(width - 1)
    for (let i = width - 1, rest = seq; i > 0; i--, rest = Math.floor(rest / 256))
      spliced[start + i] = rest % 256
  }
  spliced.set(frame.subarray(end), start + width)
  return spliced
}

/** Where the body's `seq` stands. */
function seqOffset(frame: Uint8Array): number {
  const body = skipItem(frame, 0)
  let at = body
  const { major, argument, end } = readHead(frame, at)
  if (major !== MAJOR.map) throw invalid('the body is not a map')
  at = end
  for (let i = 0; i < argument; i++) {
    const key = readHead(frame, at)
    if (key.major !== MAJOR.text) throw invalid('a key of the body is not text')
    at = key.end + key.argument
    if (key.argument === SEQ.length && SEQ.every((code, index) => frame[key.end + index] === code)) {
      if (readHead(frame, at).major !== MAJOR.unsigned) throw invalid('seq is not a whole number')
      return at
    }
    at = skipItem(frame, at)
  }
  throw invalid('the body has no seq')
}

/** Where the item that begins at `at` ends. Without recursion: depth is the sender's to choose. */
function skipItem(bytes: Uint8Array, at: number): number {
  let next = at
  for (let pending = 1; pending > 0; pending--) {
    const { major, argument, end } = readHead(bytes, next)
    next = end
    if (major === MAJOR.bytes || major === MAJOR.text) next += argument
    else if (major === MAJOR.array) pending += argument
    else if (major === MAJOR.map) pending += 2 * argument
    else if (major === MAJOR.tag) pending++
    if (next > bytes.length) throw invalid('it ends early')
  }
  return next
}

function readHead(bytes: Uint8Array, at: number): { major: number; argument: number; end: number } {
  const head = bytes[at]
  if (head === undefined) throw invalid('it ends early')
  const major = head >> 5
  const short = head & 0x1f
  if (short < 24) return { major, argument: short, end: at + 1 }
  if (short > 27) throw invalid(`the item at byte ${at} has no definite length`)
  const end = at + 1 + (1 << (short - 24))
  if (end > bytes.length) throw invalid('it ends early')
  let argument = 0
  for (let i = at + 1; i < end; i++) argument = argument * 256 + bytes[i]!
  return { major, argument, end }
}

const invalid = (message: string) => new SyncError('InvalidFrame', `not a frame: ${message}`)
