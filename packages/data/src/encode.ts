import { writeUtf8 } from '#utf8'
import { Cid } from './cid.ts'
import { DataError } from './data-error.ts'
import { sortedKeys } from './lib/key-shapes.ts'
import { foreignName, isInteger, notAnInteger, type Path, showPath } from './lib/path.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { isPlainObject, type Value } from './value.ts'

/**
 * The one canonical DRISL-CBOR encoding of a value: shortest integers, definite lengths, keys in order (shorter first,
 * then bytewise), links as tag 42. The bytes are the caller's own, but short ones may share an `ArrayBuffer` with other
 * results, as Node's Buffers do: do not transfer or reinterpret `bytes.buffer`.
 * @throws {DataError} InvalidValue, naming the path, at something that the data model cannot hold; LimitExceeded when
 *   arrays and maps are nested deeper than `maxDepth`, as they are in a cycle.
 * @see https://atproto.com/specs/data-model
 */
export function encode(value: Value, limits?: Partial<Pick<Limits, 'maxDepth'>>): Uint8Array {
  maxDepth = limits?.maxDepth ?? DEFAULT_LIMITS.maxDepth
  at = 0
  try {
    writeValue(value, 0)
    return copyOut()
  } finally {
    if (buffer.length > MOST_KEPT) buffer = new Uint8Array(INITIAL)
  }
}

const UNSIGNED = 0x00
const NEGATIVE = 0x20
const BYTES = 0x40
const TEXT = 0x60
const ARRAY = 0x80
const MAP = 0xa0
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
/** Tag 42, a byte string of 37 bytes, and the first of them: the multibase prefix. */
const LINK_HEADER = [0xd8, 42, 0x58, 37, 0x00] as const
const LONGEST_HEADER = 9
/** Up to here, a loop is quicker than a call into the runtime. */
const SHORT_TEXT = 23

const INITIAL = 64 * 1024
/** A buffer that one large value made grow past this is not kept for the small ones after it. */
const MOST_KEPT = 1024 * 1024

/** Where writing stands. One for all, since nothing here waits; what goes out is a copy. */
let buffer = new Uint8Array(INITIAL)
let at = 0
let maxDepth = DEFAULT_LIMITS.maxDepth
/** The key or index at each level on the way to where writing stands, for messages. */
const path: Path = []

/** An allocation of its own costs a small value as much as encoding it, so small values share. */
const SLAB = 8 * 1024
const LONGEST_ON_SLAB = 1024
let slab = new Uint8Array(SLAB)
let slabUsed = 0

function copyOut(): Uint8Array {
  if (at > LONGEST_ON_SLAB) return buffer.slice(0, at)
  if (slabUsed + at > slab.length) {
    slab = new Uint8Array(SLAB)
    slabUsed = 0
  }
  const bytes = slab.subarray(slabUsed, (slabUsed += at))
  bytes.set(buffer.subarray(0, at))
  return bytes
}

function writeValue(value: unknown, depth: number): void {
  if (typeof value === 'string') writeText(value, depth)
  else if (typeof value === 'number') writeNumber(value, depth)
  else if (value === null) writeByte(NULL)
  else if (typeof value === 'boolean') writeByte(value ? TRUE : FALSE)
  else if (typeof value !== 'object') throw invalid(depth, foreignName(value))
  else if (value instanceof Cid) writeLink(value)
  else if (Array.isArray(value)) writeArray(value, depth)
  else if (value instanceof Uint8Array) writeBytes(value)
  else if (isPlainObject(value)) writeMap(value, depth)
  else throw invalid(depth, foreignName(value))
}

function writeNumber(value: number, depth: number): void {
  if (!isInteger(value)) throw invalid(depth, notAnInteger(value))
  reserve(LONGEST_HEADER)
  if (value >= 0) writeHeader(UNSIGNED, value)
  else writeHeader(NEGATIVE, -1 - value)
}

function writeText(text: string, depth: number): void {
  const { length } = text
  // No UTF-16 unit takes more than three bytes.
  reserve(LONGEST_HEADER + length * 3)
  if (length <= SHORT_TEXT && writeShortAscii(text)) return
  if (!text.isWellFormed()) throw invalid(depth, 'text with a lone surrogate')
  // The header says how many bytes follow, which is known only afterwards: as a rule as many as there are units.
  const start = at
  const headerLength = headerLengthOf(length)
  const bytes = writeUtf8(text, buffer, start + headerLength)
  const needed = headerLengthOf(bytes)
  if (needed !== headerLength)
    buffer.copyWithin(start + needed, start + headerLength, start + headerLength + bytes)
  writeHeader(TEXT, bytes)
  at += bytes
}

/** Whether it was: nothing counts as written when the text is not all ASCII. */
function writeShortAscii(text: string): boolean {
  const { length } = text
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return false
    buffer[at + 1 + i] = code
  }
  buffer[at] = TEXT | length
  at += 1 + length
  return true
}

function writeBytes(bytes: Uint8Array): void {
  reserve(LONGEST_HEADER + bytes.length)
  writeHeader(BYTES, bytes.length)
  buffer.set(bytes, at)
  at += bytes.length
}

function writeLink(cid: Cid): void {
  const { bytes } = cid
  reserve(LINK_HEADER.length + bytes.length)
  for (let i = 0; i < LINK_HEADER.length; i++) buffer[at++] = LINK_HEADER[i]!
  for (let i = 0; i < bytes.length; i++) buffer[at++] = bytes[i]!
}

function writeArray(array: readonly unknown[], depth: number): void {
  enter(depth)
  reserve(LONGEST_HEADER)
  writeHeader(ARRAY, array.length)
  for (let i = 0; i < array.length; i++) {
    path[depth] = i
    writeValue(array[i], depth + 1)
  }
}

function writeMap(map: { readonly [key: string]: unknown }, depth: number): void {
  enter(depth)
  const keys = sortedKeys(Object.keys(map))
  if (typeof keys === 'string') throw invalid(depth, `the key ${JSON.stringify(keys)} with a lone surrogate`)
  reserve(LONGEST_HEADER)
  writeHeader(MAP, keys.length)
  for (let k = 0; k < keys.length; k++) {
    const { text, bytes } = keys[k]!
    reserve(bytes.length)
    // A loop, for keys are short.
    for (let i = 0; i < bytes.length; i++) buffer[at++] = bytes[i]!
    path[depth] = text
    writeValue(map[text], depth + 1)
  }
}

function enter(depth: number): void {
  if (depth >= maxDepth)
    throw new DataError('LimitExceeded', `nested deeper than ${maxDepth} levels, at ${showPath(path, depth)}`)
}

function writeByte(byte: number): void {
  reserve(1)
  buffer[at++] = byte
}

function headerLengthOf(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x1_0000) return 3
  return argument < 0x1_0000_0000 ? 5 : LONGEST_HEADER
}

/** An initial byte and its argument, for which there has to be room. */
function writeHeader(major: number, argument: number): void {
  if (argument < 24) buffer[at++] = major | argument
  else if (argument < 0x100) {
    buffer[at++] = major | 24
    buffer[at++] = argument
  } else if (argument < 0x1_0000) {
    buffer[at++] = major | 25
    buffer[at++] = argument >> 8
    buffer[at++] = argument & 0xff
  } else if (argument < 0x1_0000_0000) {
    buffer[at++] = major | 26
    writeUint32(argument)
  } else {
    buffer[at++] = major | 27
    writeUint32(Math.floor(argument / 0x1_0000_0000))
    writeUint32(argument % 0x1_0000_0000)
  }
}

function writeUint32(value: number): void {
  buffer[at++] = value >>> 24
  buffer[at++] = (value >>> 16) & 0xff
  buffer[at++] = (value >>> 8) & 0xff
  buffer[at++] = value & 0xff
}

function reserve(bytes: number): void {
  if (at + bytes <= buffer.length) return
  const grown = new Uint8Array(Math.max(buffer.length * 2, at + bytes))
  grown.set(buffer.subarray(0, at))
  buffer = grown
}

function invalid(depth: number, found: string): DataError {
  return new DataError('InvalidValue', `no value of the data model: at ${showPath(path, depth)}: ${found}`)
}
