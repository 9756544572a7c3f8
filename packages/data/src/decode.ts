import { decodeUtf8 } from '#utf8'
import { Cid } from './cid.ts'
import { DataError } from './data-error.ts'
import { knownKey } from './lib/known-keys.ts'
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
  const { value, end } = decodeFirst(bytes, 0, limits)
  if (end !== bytes.length)
    throw new DataError(
      'InvalidCbor',
      `${bytes.length - end} bytes follow the value, which ends at byte ${end}`,
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
  const decoder = new Decoder(
    bytes,
    offset,
    limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...limits },
  )
  const value = decoder.value(0)
  return { value, end: decoder.at }
}

const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const LINK_TAG = 42
/** Header of the byte string within a link: 37 bytes, the first of them the multibase prefix 0x00. */
const LINK_HEADER = [0x58, 37, 0x00] as const
const LINK_BYTES = 36

class Decoder {
  at: number
  readonly #bytes: Uint8Array
  readonly #limits: Limits

  constructor(bytes: Uint8Array, offset: number, limits: Limits) {
    if (bytes.length - offset > limits.maxBytes)
      throw new DataError(
        'LimitExceeded',
        `${bytes.length - offset} bytes of CBOR: at most ${limits.maxBytes}`,
      )
    // A Buffer would make Buffers of all byte strings.
    this.#bytes =
      bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#limits = limits
    this.at = offset
  }

  value(depth: number): Value {
    const start = this.at
    if (start >= this.#bytes.length) throw this.#cutOff(start)
    const initial = this.#bytes[start]!
    this.at = start + 1
    switch (initial >> 5) {
      case 0:
        return this.#argument(initial)
      case 1: {
        const value = -1 - this.#argument(initial)
        if (value < Number.MIN_SAFE_INTEGER) throw this.#invalid(start, 'an integer outside the safe range')
        return value
      }
      case 2:
        return this.#byteString(this.#length(initial))
      case 3:
        return this.#text(this.#length(initial))
      case 4:
        return this.#array(this.#length(initial), depth + 1)
      case 5:
        return this.#map(this.#length(initial), depth + 1)
      case 6:
        return this.#link(initial)
      default:
        if (initial === NULL) return null
        if (initial === TRUE) return true
        if (initial === FALSE) return false
        throw this.#invalid(start, simpleName(initial))
    }
  }

  /** The number that follows an initial byte, or is in it. */
  #argument(initial: number): number {
    const bytes = this.#bytes
    const info = initial & 0x1f
    if (info < 24) return info
    const start = this.at
    let value: number
    let least: number
    switch (info) {
      case 24:
        this.#need(1)
        value = bytes[start]!
        least = 24
        this.at = start + 1
        break
      case 25:
        this.#need(2)
        value = (bytes[start]! << 8) | bytes[start + 1]!
        least = 0x100
        this.at = start + 2
        break
      case 26:
        this.#need(4)
        value = this.#uint32(start)
        least = 0x1_0000
        this.at = start + 4
        break
      case 27:
        this.#need(8)
        value = this.#uint32(start) * 0x1_0000_0000 + this.#uint32(start + 4)
        least = 0x1_0000_0000
        this.at = start + 8
        break
      default:
        throw this.#invalid(start - 1, info === 31 ? 'an indefinite length' : `a reserved length (${info})`)
    }
    if (value < least) throw this.#invalid(start - 1, `${value}, not in its shortest form`)
    if (value > Number.MAX_SAFE_INTEGER) throw this.#invalid(start - 1, 'an integer outside the safe range')
    return value
  }

  #uint32(at: number): number {
    const bytes = this.#bytes
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  }

  /** An argument that counts bytes or items, each of which takes at least a byte of what remains. */
  #length(initial: number): number {
    const length = this.#argument(initial)
    this.#need(length)
    return length
  }

  #byteString(length: number): Uint8Array {
    return this.#bytes.subarray(this.at, (this.at += length))
  }

  #text(length: number): string {
    const start = this.at
    const text = decodeText(this.#bytes, start, (this.at += length))
    if (text === undefined) throw this.#invalid(start, 'text that is not UTF-8')
    return text
  }

  #array(length: number, depth: number): Value[] {
    this.#enter(length, depth)
    const array: Value[] = []
    for (let i = 0; i < length; i++) array.push(this.value(depth))
    return array
  }

  #map(length: number, depth: number): DataMap {
    this.#enter(length, depth)
    const map: DataMap = {}
    let previousStart = 0
    let previousEnd = 0
    for (let i = 0; i < length; i++) {
      const head = this.at
      if (head >= this.#bytes.length) throw this.#cutOff(head)
      const initial = this.#bytes[head]!
      if (initial >> 5 !== 3) throw this.#invalid(head, 'a key that is not text')
      this.at = head + 1
      const keyBytes = this.#length(initial)
      if (keyBytes > this.#limits.maxKeyBytes)
        throw new DataError(
          'LimitExceeded',
          `key of ${keyBytes} bytes at byte ${head}: at most ${this.#limits.maxKeyBytes}`,
        )
      const start = this.at
      const key = knownKey(this.#bytes, start, (this.at += keyBytes), decodeText)
      if (key === undefined) throw this.#invalid(start, 'text that is not UTF-8')
      if (i > 0 && !this.#isAfter(start, this.at, previousStart, previousEnd))
        throw this.#invalid(head, `key ${JSON.stringify(key)}, which is a duplicate or out of order`)
      previousStart = start
      previousEnd = this.at
      setOwn(map, key, this.value(depth))
    }
    return map
  }

  /** Key order of DRISL: shorter first, then bytewise. */
  #isAfter(start: number, end: number, previousStart: number, previousEnd: number): boolean {
    const length = end - start
    const previousLength = previousEnd - previousStart
    if (length !== previousLength) return length > previousLength
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) {
      const difference = bytes[start + i]! - bytes[previousStart + i]!
      if (difference !== 0) return difference > 0
    }
    return false
  }

  #link(initial: number): Cid {
    const start = this.at - 1
    const tag = this.#argument(initial)
    if (tag !== LINK_TAG) throw this.#invalid(start, `tag ${tag} (only ${LINK_TAG} is used)`)
    this.#need(LINK_HEADER.length + LINK_BYTES)
    for (const byte of LINK_HEADER)
      if (this.#bytes[this.at++] !== byte)
        throw this.#invalid(start, 'a link that is not 0x00 and 36 bytes of CID')
    try {
      return new Cid(this.#bytes.slice(this.at, (this.at += LINK_BYTES)))
    } catch (cause) {
      throw new DataError('InvalidCbor', `link at byte ${start}: ${(cause as Error).message}`, { cause })
    }
  }

  #enter(length: number, depth: number): void {
    if (depth > this.#limits.maxDepth)
      throw new DataError(
        'LimitExceeded',
        `nested deeper than ${this.#limits.maxDepth} levels at byte ${this.at}`,
      )
    if (length > this.#limits.maxEntries)
      throw new DataError(
        'LimitExceeded',
        `${length} entries in one container at byte ${this.at}: at most ${this.#limits.maxEntries}`,
      )
  }

  #need(count: number): void {
    if (count > this.#bytes.length - this.at) throw this.#cutOff(this.at)
  }

  #cutOff(at: number): DataError {
    return this.#invalid(at, 'more than the bytes that are there')
  }

  #invalid(at: number, found: string): DataError {
    return new DataError(
      'InvalidCbor',
      `not canonical DRISL-CBOR: at byte ${at} of ${this.#bytes.length}, ${found}`,
    )
  }
}

function simpleName(initial: number): string {
  if (initial === 0xf7) return '`undefined`'
  if (initial >= 0xf9 && initial <= 0xfb) return 'a float'
  if (initial === 0xff) return 'a break without an indefinite length'
  return `simple value 0x${initial.toString(16)}`
}

function decodeText(bytes: Uint8Array, start: number, end: number): string | undefined {
  return (
    (end - start <= SHORT_ASCII ? shortAscii(bytes, start, end) : undefined) ?? decodeUtf8(bytes, start, end)
  )
}
