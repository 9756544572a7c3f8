import { writeUtf8 } from '#utf8'
import { Cid } from './cid.ts'
import { DataError } from './data-error.ts'
import { type EncodedText, keyAfter } from './lib/encoded-text.ts'
import { sortedKeys } from './lib/key-shapes.ts'
import { foreignName, isInteger, notAnInteger, type Path, showPath } from './lib/path.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { type DataMap, isPlainObject, type Value } from './value.ts'

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
  if (slab.length - slabUsed < LONGEST_ON_SLAB) {
    slab = new Uint8Array(SLAB)
    slabWords = new DataView(slab.buffer)
    slabUsed = 0
  }
  const start = slabUsed
  buffer = slab
  words = slabWords
  at = start
  inOrder = !inheritsKeys()
  writeValue(value, 0)
  const written = buffer
  // A large one is not kept by standing here.
  buffer = slab
  words = slabWords
  if (at - start > LONGEST_ON_SLAB) return written.slice(start, at)
  if (written !== slab) slab.set(written.subarray(start, at), start)
  slabUsed = at
  return slab.subarray(start, at)
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
/** Tag 42, a byte string of 37 bytes, the first of them 0x00, and the CID. */
const LINK_BYTES = 5 + 36
/** The first four of them as a word. */
const LINK_HEAD = 0xd82a_5825 | 0
const LONGEST_HEADER = 9
/** Up to here, a loop is quicker than a call into the runtime. A short text's length fits its initial byte. */
const SHORT_TEXT = 20
const SHORT_BYTES = 32
const MOST_IN_INITIAL_BYTE = 23

/** An allocation of its own costs a value of this size as much as encoding it, so they share. */
const LONGEST_ON_SLAB = 8 * 1024
const SLAB = 32 * 1024
let slab = new Uint8Array(SLAB)
let slabWords = new DataView(slab.buffer)
let slabUsed = 0

/** What is too long for the slab is written here, and copied. One that grew past this is not kept. */
const MOST_KEPT = 1024 * 1024
let spare = new Uint8Array()

/** Where writing stands. One for all, since nothing here waits. */
let buffer = slab
/** The same memory, to be written a word at a time. */
let words = slabWords
let at = 0
let maxDepth = DEFAULT_LIMITS.maxDepth
/**
 * Whether all maps so far list their keys in order, as all do that were decoded. The first that does not is written a
 * second time, and those after it are not tried, or else each level of nesting would double the work.
 */
let inOrder = true
/** The key or index at each level on the way to where writing stands, for messages. */
const path: Path = []

function writeValue(value: unknown, depth: number): void {
  if (typeof value === 'string') writeText(value, depth)
  else if (typeof value === 'number') writeNumber(value, depth)
  else if (value === null) writeByte(NULL)
  else if (typeof value === 'boolean') writeByte(value ? TRUE : FALSE)
  else if (typeof value !== 'object') throw invalid(depth, foreignName(value))
  else writeObject(value, depth)
}

function writeObject(value: object, depth: number): void {
  if (value instanceof Cid) writeLink(value)
  else if (Array.isArray(value)) writeArray(value, depth)
  else if (value instanceof Uint8Array) writeBytes(value)
  else if (Object.getPrototypeOf(value) === Object.prototype) writeMap(value as DataMap, depth)
  else if (isPlainObject(value)) writeSortedMap(value, depth)
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
  // The header says how many bytes follow, which is known only afterwards: as a rule as many as there are units.
  const start = at
  const headerLength = headerLengthOf(length)
  const bytes = writeUtf8(text, buffer, start + headerLength)
  // As many bytes as units are ASCII; what is not may be half a character, which was written as another one.
  if (bytes !== length && !text.isWellFormed()) throw invalid(depth, 'text with a lone surrogate')
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
  const { length } = bytes
  reserve(LONGEST_HEADER + length)
  writeHeader(BYTES, length)
  if (length > SHORT_BYTES) buffer.set(bytes, at)
  else for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!
  at += length
}

function writeLink(cid: Cid): void {
  reserve(LINK_BYTES)
  words.setInt32(at, LINK_HEAD)
  buffer[at + 4] = 0x00
  cid.writeTo(words, at + 5)
  at += LINK_BYTES
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

function writeMap(map: DataMap, depth: number): void {
  if (inOrder) {
    const start = at
    if (writeListedMap(map, depth)) return
    at = start
    inOrder = false
  }
  writeSortedMap(map, depth)
}

function writeSortedMap(map: { readonly [key: string]: unknown }, depth: number): void {
  enter(depth)
  const keys = sortedKeys(Object.keys(map))
  if (typeof keys === 'string') throw invalid(depth, `the key ${JSON.stringify(keys)} with a lone surrogate`)
  reserve(LONGEST_HEADER)
  writeHeader(MAP, keys.length)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const { text } = key
    writeKey(key)
    path[depth] = text
    writeValue(map[text], depth + 1)
  }
}

/**
 * Writes a map as it lists its keys, and says whether that was in order. Quick because the runtime needs no list of the
 * keys, and no search for a property that a loop over the properties has named.
 */
function writeListedMap(map: DataMap, depth: number): boolean {
  enter(depth)
  reserve(1)
  const header = at++
  let entries = 0
  let previous: EncodedText | undefined
  for (const name in map) {
    const key = keyAfter(previous, name)
    if (key === undefined || entries === MOST_IN_INITIAL_BYTE) return false
    writeKey(key)
    path[depth] = name
    writeValue(map[name], depth + 1)
    previous = key
    entries++
  }
  buffer[header] = MAP | entries
  return true
}

/** Whether somebody gave all objects of this realm a key that loops see. */
function inheritsKeys(): boolean {
  for (const _ in Object.prototype) return true
  return false
}

/** By the word, which writes some zeros past the end: something always comes after a key. */
function writeKey({ bytes, words: keyWords }: EncodedText): void {
  const { length } = keyWords
  reserve(4 * length)
  const target = words
  const start = at
  for (let i = 0; i < length; i++) target.setInt32(start + 4 * i, keyWords[i]!)
  at = start + bytes.length
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

/** Makes room for some bytes. What was written keeps its place. */
function reserve(bytes: number): void {
  if (at + bytes > buffer.length) grow(at + bytes)
}

function grow(length: number): void {
  const grown = spare.length >= length ? spare : new Uint8Array(Math.max(buffer.length * 2, length))
  grown.set(buffer.subarray(0, at))
  if (grown.length <= MOST_KEPT) spare = grown
  buffer = grown
  words = new DataView(grown.buffer)
}

function invalid(depth: number, found: string): DataError {
  return new DataError('InvalidValue', `no value of the data model: at ${showPath(path, depth)}: ${found}`)
}
