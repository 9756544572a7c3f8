import { writeUtf8 } from '#utf8'
import { Cid } from './cid.ts'
import { type EncodedText, encodedText, LONGEST_KNOWN } from './lib/encoded-text.ts'
import { sortedKeys } from './lib/key-shapes.ts'
import { outermost, type Step, startUnder, stepAfter } from './lib/key-trail.ts'
import { Misfit } from './lib/misfit.ts'
import { foreignName, isInteger, notAnInteger } from './lib/path.ts'
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
  writeOn(slab, slabWords)
  inOrder = !inheritsKeys()
  const end = writeAll(value, start)
  const written = buffer
  // A large one is not kept by standing here.
  writeOn(slab, slabWords)
  if (end - start > LONGEST_ON_SLAB) return written.slice(start, end)
  if (written !== slab) slab.set(written.subarray(start, end), start)
  slabUsed = end
  return new Uint8Array(slab.buffer, start, end - start)
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
/** The longest of what is as long whatever it holds: a link, a header, a number. */
const LONGEST_FIXED = LINK_BYTES
/** Up to here, a loop is quicker than a call into the runtime. A short text's length fits its initial byte. */
const SHORT_TEXT = 10
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

/** Where writing goes. One for all, since nothing here waits. */
let buffer = slab
/** The same memory, to be written a word at a time. */
let words = slabWords
let room = SLAB
let maxDepth = DEFAULT_LIMITS.maxDepth
/**
 * Whether all maps so far list their keys in order, as all do that were decoded. The first that does not is written a
 * second time, and those after it are not tried, or else each level of nesting would double the work.
 */
let inOrder = true

function writeOn(bytes: Uint8Array<ArrayBuffer>, sameAsWords: DataView<ArrayBuffer>): void {
  buffer = bytes
  words = sameAsWords
  room = bytes.length
}

function writeAll(value: unknown, at: number): number {
  try {
    reserve(at, LONGEST_FIXED)
    return writeValue(value, at, 0, outermost())
  } catch (error) {
    throw error instanceof Misfit ? error.toError() : error
  }
}

// Each function writes at `at`, and returns where writing goes on: a number that is handed on stays in a register. Before a
// value is written, there is room for LONGEST_FIXED bytes, whatever it is; what may take more makes room itself.

/** @param under the key that the value stands under, directly or in arrays. */
function writeValue(value: unknown, at: number, depth: number, under: Step): number {
  if (typeof value === 'string') return writeText(value, at)
  if (typeof value === 'number') return writeNumber(value, at)
  if (typeof value === 'object' && value !== null) return writeObject(value, at, depth, under)
  if (value === null) return writeByte(NULL, at)
  if (typeof value === 'boolean') return writeByte(value ? TRUE : FALSE, at)
  throw invalid(foreignName(value))
}

function writeObject(value: object, at: number, depth: number, under: Step): number {
  if (value instanceof Cid) return writeLink(value, at)
  if (Array.isArray(value)) return writeArray(value, at, depth, under)
  if (value instanceof Uint8Array) return writeBytes(value, at)
  if (Object.getPrototypeOf(value) === Object.prototype) return writeMap(value as DataMap, at, depth, under)
  if (isPlainObject(value)) return writeSortedMap(value, at, depth)
  throw invalid(foreignName(value))
}

function writeNumber(value: number, at: number): number {
  if (!isInteger(value)) throw invalid(notAnInteger(value))
  return value >= 0 ? writeHeader(UNSIGNED, value, at) : writeHeader(NEGATIVE, -1 - value, at)
}

function writeText(text: string, at: number): number {
  const { length } = text
  // No UTF-16 unit takes more than three bytes.
  reserve(at, LONGEST_HEADER + length * 3)
  if (length <= SHORT_TEXT) {
    const end = writeShortAscii(text, at)
    if (end !== NOT_ASCII) return end
  }
  // The header says how many bytes follow, which is known only afterwards: as a rule as many as there are units.
  const headerLength = headerLengthOf(length)
  const bytes = writeUtf8(text, buffer, at + headerLength)
  // As many bytes as units are ASCII; what is not may be half a character, which was written as another one.
  if (bytes !== length && !text.isWellFormed()) throw invalid('text with a lone surrogate')
  const needed = headerLengthOf(bytes)
  if (needed !== headerLength) buffer.copyWithin(at + needed, at + headerLength, at + headerLength + bytes)
  return writeHeader(TEXT, bytes, at) + bytes
}

const NOT_ASCII = -1

function writeShortAscii(text: string, at: number): number {
  const { length } = text
  const target = buffer
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return NOT_ASCII
    target[at + 1 + i] = code
  }
  target[at] = TEXT | length
  return at + 1 + length
}

/** What stands under `$type`: of these there are few, so they are kept encoded, as keys are. */
function writeTypeName(text: string, at: number, step: Step): number {
  let known = step.typeName
  if (known === undefined || known.text !== text) {
    known = text.length <= LONGEST_KNOWN ? encodedText(text) : undefined
    if (known === undefined) return writeText(text, at)
    step.typeName = known
  }
  return writeEncoded(known, at)
}

function writeBytes(bytes: Uint8Array, at: number): number {
  const { length } = bytes
  reserve(at, LONGEST_HEADER + length)
  const target = buffer
  const start = writeHeader(BYTES, length, at)
  if (length > SHORT_BYTES) target.set(bytes, start)
  else for (let i = 0; i < length; i++) target[start + i] = bytes[i]!
  return start + length
}

function writeLink(cid: Cid, at: number): number {
  const target = words
  target.setInt32(at, LINK_HEAD)
  target.setInt8(at + 4, 0x00)
  cid.writeTo(target, at + 5)
  return at + LINK_BYTES
}

function writeArray(array: readonly unknown[], at: number, depth: number, under: Step): number {
  enter(depth)
  let end = writeHeader(ARRAY, array.length, at)
  let i = 0
  try {
    for (; i < array.length; i++) {
      reserve(end, LONGEST_FIXED)
      end = writeValue(array[i], end, depth + 1, under)
    }
  } catch (error) {
    throw located(error, i)
  }
  return end
}

function writeMap(map: DataMap, at: number, depth: number, under: Step): number {
  if (inOrder) {
    const end = writeListedMap(map, at, depth, under)
    if (end !== NOT_IN_ORDER) return end
    inOrder = false
  }
  return writeSortedMap(map, at, depth)
}

function writeSortedMap(map: { readonly [key: string]: unknown }, at: number, depth: number): number {
  enter(depth)
  const keys = sortedKeys(Object.keys(map))
  if (typeof keys === 'string') throw invalid(`the key ${JSON.stringify(keys)} with a lone surrogate`)
  let end = writeHeader(MAP, keys.length, at)
  let text = ''
  try {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      text = key.text
      end = writeEncoded(key, end)
      reserve(end, LONGEST_FIXED)
      end = writeValue(map[text], end, depth + 1, outermost())
    }
  } catch (error) {
    throw located(error, text)
  }
  return end
}

const NOT_IN_ORDER = -1

/**
 * Writes a map as it lists its keys, unless that is not in order. Quick because the runtime needs no list of the keys, and
 * no search for a property that a loop over the properties has named.
 */
function writeListedMap(map: DataMap, at: number, depth: number, under: Step): number {
  enter(depth)
  let entries = 0
  let end = at + 1
  let name = ''
  let previous = startUnder(under)
  try {
    for (name in map) {
      const step = stepAfter(previous, name)
      if (step === undefined || entries === MOST_IN_INITIAL_BYTE) return NOT_IN_ORDER
      reserve(end, step.reach + LONGEST_FIXED)
      end = writeKey(step, end)
      const value: unknown = map[name]
      end =
        step.isType && typeof value === 'string'
          ? writeTypeName(value, end, step)
          : writeValue(value, end, depth + 1, step)
      previous = step
      entries++
    }
  } catch (error) {
    throw located(error, name)
  }
  buffer[at] = MAP | entries
  return end
}

/** Whether somebody gave all objects of this realm a key that loops see. */
function inheritsKeys(): boolean {
  for (const _ in Object.prototype) return true
  return false
}

/** By the word, which writes some zeros past the end: something always comes after a key. */
function writeKey(step: Step, at: number): number {
  const { size } = step
  const target = words
  target.setInt32(at, step.first)
  if (size > 4) target.setInt32(at + 4, step.second)
  if (size > 8) target.setInt32(at + 8, step.third)
  if (size > 12) writeWords(step.key.words, 3, at)
  return at + size
}

function writeEncoded({ bytes, words: source }: EncodedText, at: number): number {
  reserve(at, 4 * source.length)
  writeWords(source, 0, at)
  return at + bytes.length
}

function writeWords(source: readonly number[], from: number, at: number): void {
  const target = words
  for (let i = from; i < source.length; i++) target.setInt32(at + 4 * i, source[i]!)
}

function enter(depth: number): void {
  if (depth >= maxDepth) throw new Misfit('LimitExceeded', `nested deeper than ${maxDepth} levels`)
}

function writeByte(byte: number, at: number): number {
  buffer[at] = byte
  return at + 1
}

function headerLengthOf(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x1_0000) return 3
  return argument < 0x1_0000_0000 ? 5 : LONGEST_HEADER
}

/** An initial byte and its argument, for which there has to be room. */
function writeHeader(major: number, argument: number, at: number): number {
  if (argument >= 24) return writeLongHeader(major, argument, at)
  buffer[at] = major | argument
  return at + 1
}

function writeLongHeader(major: number, argument: number, at: number): number {
  const target = words
  if (argument < 0x100) {
    target.setUint16(at, ((major | 24) << 8) | argument)
    return at + 2
  }
  if (argument < 0x1_0000) {
    target.setUint8(at, major | 25)
    target.setUint16(at + 1, argument)
    return at + 3
  }
  if (argument < 0x1_0000_0000) {
    target.setUint8(at, major | 26)
    target.setUint32(at + 1, argument)
    return at + 5
  }
  target.setUint8(at, major | 27)
  target.setUint32(at + 1, Math.floor(argument / 0x1_0000_0000))
  target.setUint32(at + 5, argument % 0x1_0000_0000)
  return at + LONGEST_HEADER
}

/** Makes room for some bytes. What was written keeps its place. */
function reserve(at: number, bytes: number): void {
  if (at + bytes > room) grow(at, at + bytes)
}

function grow(at: number, length: number): void {
  const grown = spare.length >= length ? spare : new Uint8Array(Math.max(buffer.length * 2, length))
  grown.set(buffer.subarray(0, at))
  if (grown.length <= MOST_KEPT) spare = grown
  writeOn(grown, new DataView(grown.buffer))
}

const invalid = (found: string): Misfit => new Misfit('InvalidValue', found)

const located = (error: unknown, step: string | number): unknown =>
  error instanceof Misfit ? error.under(step) : error
