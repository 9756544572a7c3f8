import { decodeUtf8 } from '#utf8'
import { Cid } from './cid.ts'
import { DataError } from './data-error.ts'
import { type KnownText, knownNext, knownText, learnNext, learnText } from './lib/known-texts.ts'
import { SHORT_ASCII, shortAscii } from './lib/short-ascii.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { type DataMap, setOwn, type Value } from './value.ts'

/**
 * The value that canonical DRISL-CBOR bytes hold. Exactly one encoding of every value is accepted, so a value that
 * was decoded encodes to the same bytes again: shortest integers, definite lengths, unique keys in order (shorter
 * first, then bytewise), valid UTF-8, links as tag 42; no floats, no other tag, no `undefined`, nothing trailing.
 *
 * Byte strings are views of the input: keep one, and you keep the whole input alive. Links are copies.
 * @throws {DataError} InvalidCbor with the offset of the fault; LimitExceeded.
 * @see https://atproto.com/specs/data-model
 */
export function decode(bytes: Uint8Array, limits?: Partial<Limits>): Value {
  const { value, end: valueEnd } = decodeFirst(bytes, 0, limits)
  if (valueEnd !== bytes.length)
    throw new DataError(
      'InvalidCbor',
      `${bytes.length - valueEnd} bytes follow the value, which ends at byte ${valueEnd}`,
    )
  return value
}

/**
 * The value that begins at `offset`, and where it ends: for values that follow one another, as in a frame.
 * @throws {DataError} as {@link decode}.
 */
export function decodeFirst(
  bytes: Uint8Array,
  offset = 0,
  limits?: Partial<Limits>,
): { value: Value; end: number } {
  const maxBytes = limits?.maxBytes ?? DEFAULT_LIMITS.maxBytes
  if (bytes.length - offset > maxBytes)
    throw new DataError('LimitExceeded', `${bytes.length - offset} bytes of CBOR: at most ${maxBytes}`)
  maxDepth = limits?.maxDepth ?? DEFAULT_LIMITS.maxDepth
  maxEntries = limits?.maxEntries ?? DEFAULT_LIMITS.maxEntries
  maxKeyBytes = limits?.maxKeyBytes ?? DEFAULT_LIMITS.maxKeyBytes
  if (bytes.buffer !== memory) look(bytes.buffer)
  origin = bytes.byteOffset
  at = origin + offset
  end = origin + bytes.length
  const value = readValue(octets, 0)
  if (octets.length > MOST_KEPT) look(NOTHING)
  return { value, end: at - origin }
}

const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const LINK_TAG = 42
/** What comes before the CID in a link: tag 42, a byte string of 37 bytes, and the first of them. */
const LINK_HEADER_BYTES = 5
const LINK_BYTES = LINK_HEADER_BYTES + 36

/**
 * Where reading stands, and its bounds. One for all, since nothing here waits or calls what is not ours. Places count
 * from the beginning of the memory that the input is a part of: a Buffer, as a rule, is a small one.
 */
let at = 0
let end = 0
let origin = 0
let maxDepth = DEFAULT_LIMITS.maxDepth
let maxEntries = DEFAULT_LIMITS.maxEntries
let maxKeyBytes = DEFAULT_LIMITS.maxKeyBytes

/**
 * That memory as bytes, and as words, which read a link in a third of the time. Kept from one input to the next, unless it
 * is large: making both takes as long as decoding some twenty bytes, and inputs often come out of one file.
 */
const NOTHING = new ArrayBuffer(0)
const MOST_KEPT = 1024 * 1024
let memory: ArrayBufferLike = NOTHING
let octets: Uint8Array = new Uint8Array(NOTHING)
let words: DataView = new DataView(NOTHING)

function look(buffer: ArrayBufferLike): void {
  memory = buffer
  octets = new Uint8Array(buffer)
  words = new DataView(buffer)
}

/** Arrays to copy: see {@link readArray}. */
const BLANKS: readonly Value[][] = Array.from({ length: 65 }, (_, length) =>
  Array.from({ length }, () => null),
)

function readValue(bytes: Uint8Array, depth: number): Value {
  const start = at
  if (start >= end) throw cutOff(start)
  const initial = bytes[start]!
  at = start + 1
  switch (initial >> 5) {
    case 0:
      return readArgument(bytes, initial)
    case 1: {
      const value = -1 - readArgument(bytes, initial)
      if (value < Number.MIN_SAFE_INTEGER) throw invalid(start, 'an integer outside the safe range')
      return value
    }
    case 2:
      return readByteString(readLength(bytes, initial))
    case 3:
      return readText(bytes, readLength(bytes, initial))
    case 4:
      return readArray(bytes, readLength(bytes, initial), depth + 1)
    case 5:
      return readMap(bytes, readLength(bytes, initial), depth + 1)
    case 6:
      return readLink(bytes, initial)
    default:
      if (initial === NULL) return null
      if (initial === TRUE) return true
      if (initial === FALSE) return false
      throw invalid(start, simpleName(initial))
  }
}

/** The number that follows an initial byte, or is in it. */
function readArgument(bytes: Uint8Array, initial: number): number {
  const info = initial & 0x1f
  return info < 24 ? info : readLongArgument(bytes, info)
}

function readLongArgument(bytes: Uint8Array, info: number): number {
  const start = at
  let value: number
  let least: number
  switch (info) {
    case 24:
      need(1)
      value = bytes[start]!
      least = 24
      at = start + 1
      break
    case 25:
      need(2)
      value = (bytes[start]! << 8) | bytes[start + 1]!
      least = 0x100
      at = start + 2
      break
    case 26:
      need(4)
      value = words.getUint32(start)
      least = 0x1_0000
      at = start + 4
      break
    case 27:
      need(8)
      value = words.getUint32(start) * 0x1_0000_0000 + words.getUint32(start + 4)
      least = 0x1_0000_0000
      at = start + 8
      break
    default:
      throw invalid(start - 1, info === 31 ? 'an indefinite length' : `a reserved length (${info})`)
  }
  if (value < least) throw invalid(start - 1, `${value}, not in its shortest form`)
  if (value > Number.MAX_SAFE_INTEGER) throw invalid(start - 1, 'an integer outside the safe range')
  return value
}

/** An argument that counts bytes or items, each of which takes at least a byte of what remains. */
function readLength(bytes: Uint8Array, initial: number): number {
  const length = readArgument(bytes, initial)
  need(length)
  return length
}

function readByteString(length: number): Uint8Array {
  const start = at
  at = start + length
  return new Uint8Array(memory, start, length)
}

function readText(bytes: Uint8Array, length: number): string {
  const start = at
  at = start + length
  const text =
    (length <= SHORT_ASCII ? shortAscii(bytes, start, at) : undefined) ?? decodeUtf8(bytes, start, at, words)
  if (text === undefined) throw invalid(start, 'text that is not UTF-8')
  return text
}

/**
 * Made as a copy of one of the same length: V8 notes of `[]` whether what it makes lives long, and once it has seen some
 * values that do it puts all arrays among the old ones, where whatever hangs from them dies as late as they do. Decoding
 * then takes up to twice as long (measured).
 */
function readArray(bytes: Uint8Array, length: number, depth: number): Value[] {
  enter(length, depth)
  const blank = Math.min(length, BLANKS.length - 1)
  const array = BLANKS[blank]!.slice()
  for (let i = 0; i < blank; i++) array[i] = readValue(bytes, depth)
  for (let i = blank; i < length; i++) array.push(readValue(bytes, depth))
  return array
}

function readMap(bytes: Uint8Array, length: number, depth: number): DataMap {
  enter(length, depth)
  const map: DataMap = {}
  let previous = at
  let previousEnd = at
  let last: KnownText | undefined
  for (let i = 0; i < length; i++) {
    const start = at
    let key: string
    let known = last && knownNext(last, words, start, end)
    if (known !== undefined && known.length <= maxKeyBytes) {
      key = known.text
      at = start + known.length
    } else {
      known = knownKey(start)
      key = known === undefined ? readKey(bytes) : known.text
      if (i > 0 && !isAfter(bytes, start, at, previous, previousEnd))
        throw invalid(start, `key ${JSON.stringify(key)}, which is a duplicate or out of order`)
      if (last !== undefined && known !== undefined) learnNext(last, known)
    }
    last = known
    previous = start
    previousEnd = at
    setOwn(map, key, key === '$type' ? readTypeName(bytes, depth) : readValue(bytes, depth))
  }
  return map
}

/** The key at `start`, when it is known: reading then goes on behind it. */
function knownKey(start: number): KnownText | undefined {
  const known = knownText(words, start, end)
  if (known === undefined || known.length > maxKeyBytes) return undefined
  at = start + known.length
  return known
}

function readKey(bytes: Uint8Array): string {
  const start = at
  if (start >= end) throw cutOff(start)
  const initial = bytes[start]!
  if (initial >> 5 !== 3) throw invalid(start, 'a key that is not text')
  at = start + 1
  const length = readLength(bytes, initial)
  if (length > maxKeyBytes)
    throw new DataError(
      'LimitExceeded',
      `key of ${length} bytes at byte ${start - origin}: at most ${maxKeyBytes}`,
    )
  const key = readText(bytes, length)
  learnText(words, start, at, key)
  return key
}

/** What stands behind `$type`: by rights a text, of which there are few. */
function readTypeName(bytes: Uint8Array, depth: number): Value {
  const start = at
  const known = knownText(words, start, end)
  if (known !== undefined) {
    at = start + known.length
    return known.text
  }
  const value = readValue(bytes, depth)
  if (typeof value === 'string') learnText(words, start, at, value)
  return value
}

/**
 * Order of two keys, headers included: shorter first, then bytewise. Headers of one length are the same, and those of
 * two only repeat their order.
 * @see https://www.rfc-editor.org/rfc/rfc7049#section-3.9
 */
function isAfter(
  bytes: Uint8Array,
  start: number,
  end: number,
  previous: number,
  previousEnd: number,
): boolean {
  const length = end - start
  const previousLength = previousEnd - previous
  if (length !== previousLength) return length > previousLength
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - bytes[previous + i]!
    if (difference !== 0) return difference > 0
  }
  return false
}

/** @see https://atproto.com/specs/data-model#link-and-cid-formats */
function readLink(bytes: Uint8Array, initial: number): Cid {
  const start = at - 1
  const tag = readArgument(bytes, initial)
  if (tag !== LINK_TAG) throw invalid(start, `tag ${tag} (only ${LINK_TAG} is used)`)
  if (LINK_BYTES > end - start) throw cutOff(start)
  if (bytes[start + 2] !== 0x58 || bytes[start + 3] !== 37 || bytes[start + 4] !== 0x00)
    throw invalid(start, 'a link that is not 0x00 and 36 bytes of CID')
  at = start + LINK_BYTES
  try {
    return new Cid(words, start + LINK_HEADER_BYTES)
  } catch (cause) {
    throw new DataError('InvalidCbor', `link at byte ${start - origin}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

function enter(length: number, depth: number): void {
  if (depth > maxDepth)
    throw new DataError('LimitExceeded', `nested deeper than ${maxDepth} levels at byte ${at - origin}`)
  if (length > maxEntries)
    throw new DataError(
      'LimitExceeded',
      `${length} entries in one container at byte ${at - origin}: at most ${maxEntries}`,
    )
}

function need(count: number): void {
  if (count > end - at) throw cutOff(at)
}

const cutOff = (at: number): DataError => invalid(at, 'more than the bytes that are there')

const invalid = (at: number, found: string): DataError =>
  new DataError(
    'InvalidCbor',
    `not canonical DRISL-CBOR: at byte ${at - origin} of ${end - origin}, ${found}`,
  )

function simpleName(initial: number): string {
  if (initial === 0xf7) return '`undefined`'
  if (initial >= 0xf9 && initial <= 0xfb) return 'a float'
  if (initial === 0xff) return 'a break without an indefinite length'
  return `simple value 0x${initial.toString(16)}`
}
