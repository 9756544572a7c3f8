/**
 * A walk over DRISL-CBOR that vouches for bytes without making values of them. Every function answers whether it can
 * vouch for what it passed; "no" is no verdict, and leaves the cursor anywhere. The verdict, and the words for a fault,
 * are those of `decode` in `@imago/data`.
 * @see https://atproto.com/specs/data-model
 */
export interface Cursor {
  readonly bytes: Uint8Array
  /** The same bytes, to be read a word at a time. */
  readonly words: DataView
  at: number
}

export const cursorOf = (bytes: Uint8Array, at = 0): Cursor => ({
  bytes,
  words: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
  at,
})

export const UNSIGNED = 0
export const NEGATIVE = 1
export const BYTES = 2
export const TEXT = 3
export const ARRAY = 4
export const MAP = 5
export const NULL = 0xf6
export const TRUE = 0xf5
export const FALSE = 0xf4

/** Answer of {@link argument} and {@link textUnits} where they cannot vouch. */
export const NONE = -1

/** How deep records may nest, how much one container may hold, and how long a key may be: as `RECORD_LIMITS` says. */
export interface CursorLimits {
  readonly maxDepth: number
  readonly maxEntries: number
  readonly maxKeyBytes: number
}

/**
 * The number in the head of an item of a major type, in its shortest form; {@link NONE} for any other type. Of what has
 * a length, also when the input is too short for it.
 */
export function argument(cursor: Cursor, major: number): number {
  const { bytes, at } = cursor
  if (at >= bytes.length) return NONE
  const initial = bytes[at]!
  if (initial >> 5 !== major) return NONE
  const info = initial & 0x1f
  if (info >= 24) return longArgument(cursor, major, info)
  cursor.at = at + 1
  return major < BYTES || info < bytes.length - at ? info : NONE
}

function longArgument(cursor: Cursor, major: number, info: number): number {
  const { bytes, words, at } = cursor
  let value: number
  if (info === 24 && at + 1 < bytes.length) {
    value = bytes[at + 1]!
    if (value < 24) return NONE
    cursor.at = at + 2
  } else if (info === 25 && at + 2 < bytes.length) {
    value = words.getUint16(at + 1)
    if (value < 0x100) return NONE
    cursor.at = at + 3
  } else if (info === 26 && at + 4 < bytes.length) {
    value = words.getUint32(at + 1)
    if (value < 0x1_0000) return NONE
    cursor.at = at + 5
  } else if (info === 27 && at + 8 < bytes.length) {
    value = words.getUint32(at + 1) * 0x1_0000_0000 + words.getUint32(at + 5)
    if (value < 0x1_0000_0000 || value > Number.MAX_SAFE_INTEGER) return NONE
    cursor.at = at + 9
  } else return NONE
  return major < BYTES || value <= bytes.length - cursor.at ? value : NONE
}

/** Tag 42, a byte string of 37 bytes, and the first two of them: then come the codec, and what says SHA-256. */
const LINK_HEAD = 0xd82a_5825 | 0
const VERSION_HEAD = 0x0001
const SHA256_HEAD = 0x1220
const LINK_BYTES = 41
const VERSION_AT = 4
const CODEC_AT = 6
const HASH_AT = 7

/** Passes a link. Any codec that atproto knows will do, unless one is asked for. */
export function link(cursor: Cursor, codec?: number): boolean {
  const { bytes, words, at } = cursor
  if (at + LINK_BYTES > bytes.length) return false
  if (words.getInt32(at) !== LINK_HEAD || words.getInt16(at + VERSION_AT) !== VERSION_HEAD) return false
  const found = bytes[at + CODEC_AT]!
  if (codec === undefined ? found !== DRISL && found !== RAW : found !== codec) return false
  if (words.getInt16(at + HASH_AT) !== SHA256_HEAD) return false
  cursor.at = at + LINK_BYTES
  return true
}

const DRISL = 0x71
const RAW = 0x55

/** Passes any value. */
export function anyValue(cursor: Cursor, limits: CursorLimits, depth: number): boolean {
  const initial = cursor.bytes[cursor.at]!
  switch (initial >> 5) {
    case UNSIGNED:
    case NEGATIVE:
      return integer(cursor) !== undefined
    case BYTES: {
      const length = argument(cursor, BYTES)
      cursor.at += length
      return length !== NONE
    }
    case TEXT: {
      const length = argument(cursor, TEXT)
      return length !== NONE && textUnits(cursor, length) !== NONE
    }
    case ARRAY: {
      const length = container(cursor, ARRAY, limits, depth)
      for (let i = 0; i < length; i++) if (!anyValue(cursor, limits, depth + 1)) return false
      return length !== NONE
    }
    case MAP:
      return anyMap(cursor, limits, depth)
    case 6:
      return link(cursor)
    default:
      cursor.at++
      return initial === NULL || initial === TRUE || initial === FALSE
  }
}

function anyMap(cursor: Cursor, limits: CursorLimits, depth: number): boolean {
  const entries = container(cursor, MAP, limits, depth)
  let previous = NONE
  for (let i = 0; i < entries; i++) {
    const { at } = cursor
    if (!anyEntry(cursor, limits, depth + 1, previous)) return false
    previous = at
  }
  return entries !== NONE
}

/** Passes a key and any value. @param previous where the key before it is, or {@link NONE}. */
export function anyEntry(cursor: Cursor, limits: CursorLimits, depth: number, previous: number): boolean {
  const { at, bytes } = cursor
  const length = argument(cursor, TEXT)
  return (
    length !== NONE &&
    length <= limits.maxKeyBytes &&
    textUnits(cursor, length) !== NONE &&
    (previous === NONE || isAfter(bytes, at, cursor.at - at, previous)) &&
    anyValue(cursor, limits, depth)
  )
}

/** How many items or entries an array or map has. @param depth containers around it. */
export function container(cursor: Cursor, major: number, limits: CursorLimits, depth: number): number {
  const length = argument(cursor, major)
  return depth < limits.maxDepth && length <= limits.maxEntries ? length : NONE
}

/** A whole number that every implementation can hold, or `undefined`. */
export function integer(cursor: Cursor): number | undefined {
  const isNegative = cursor.bytes[cursor.at]! >> 5 === NEGATIVE
  const value = argument(cursor, isNegative ? NEGATIVE : UNSIGNED)
  if (value === NONE) return undefined
  if (!isNegative) return value
  return value === Number.MAX_SAFE_INTEGER ? undefined : -1 - value
}

/**
 * Whether a key comes after the one before it: the longer one, or of the same length, the greater. Heads in their
 * shortest form sort as lengths do, so bytes tell both.
 * @param length of the key with its head.
 */
export function isAfter(bytes: Uint8Array, at: number, length: number, previous: number): boolean {
  for (let i = 0; i < length; i++) {
    const difference = bytes[at + i]! - bytes[previous + i]!
    if (difference !== 0) return difference > 0
  }
  return false
}

const WORD = 4
/** Those that no ASCII character has, in a word. */
const HIGH_BITS = 0x8080_8080 | 0

/**
 * Passes text of so many bytes. Answers its length in UTF-16 units, or {@link NONE} where it is not UTF-8.
 * @see https://www.rfc-editor.org/rfc/rfc3629#section-4
 */
export function textUnits(cursor: Cursor, length: number): number {
  const { bytes, words, at } = cursor
  const end = (cursor.at = at + length)
  let i = at
  let units = length
  while (i < end) {
    while (i + 2 * WORD <= end && ((words.getInt32(i) | words.getInt32(i + WORD)) & HIGH_BITS) === 0)
      i += 2 * WORD
    if (i + WORD <= end) {
      // Right to the first byte that is not ASCII.
      const high = words.getInt32(i) & HIGH_BITS
      i += Math.clz32(high) >> 3
      if (high === 0) continue
    }
    if (i === end) break
    const size = bytes[i]! < 0x80 ? 1 : sequenceLength(bytes, i, end)
    if (size === NONE) return NONE
    i += size
    units -= size === 4 ? 2 : size - 1
  }
  return units
}

/** Bytes of the sequence of several that begins at `at`: one character beyond ASCII. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!
  const second = bytes[at + 1]!
  if (lead < 0xc2 || lead > 0xf4 || !isTail(bytes, at + 1, end)) return NONE
  if (lead < 0xe0) return 2
  if (!isTail(bytes, at + 2, end)) return NONE
  if (lead < 0xf0) return (lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f) ? NONE : 3
  if (!isTail(bytes, at + 3, end)) return NONE
  return (lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f) ? NONE : 4
}

const isTail = (bytes: Uint8Array, at: number, end: number) => at < end && (bytes[at]! & 0xc0) === 0x80

/** Items that are looked for, ready to be compared by the word. */
export interface Item {
  readonly bytes: Uint8Array
  readonly length: number
  /** Its last four bytes, and those before them by the word from the first; the two may overlap. 0 where it is shorter. */
  readonly last: number
  readonly words: readonly number[]
}

export function itemOf(bytes: Uint8Array): Item {
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const words: number[] = []
  for (let at = 0; at < length - WORD; at += WORD) words.push(view.getInt32(at))
  return { bytes, length, last: length < WORD ? 0 : view.getInt32(length - WORD), words }
}

/** Whether an item stands at `at`. Looks at its end first: names begin alike more often than they end alike. */
export function isAt(item: Item, { bytes, words }: Cursor, at: number): boolean {
  const { length, words: wanted } = item
  if (length > bytes.length - at) return false
  if (length < WORD) return isShortAt(item, bytes, at)
  if (words.getInt32(at + length - WORD) !== item.last) return false
  for (let i = 0; i < wanted.length; i++) if (words.getInt32(at + WORD * i) !== wanted[i]) return false
  return true
}

function isShortAt(item: Item, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < item.length; i++) if (item.bytes[i] !== bytes[at + i]) return false
  return true
}

/** Passes an item that has to be this one. */
export function pass(cursor: Cursor, item: Item): boolean {
  const { at } = cursor
  cursor.at = at + item.length
  return isAt(item, cursor, at)
}
