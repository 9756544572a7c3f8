import { DataError } from './data-error.ts'
import { toBase64 } from './multibase.ts'

const FIRST_BYTES = 16 * 1024
/** A longer array is not kept for the next writer. */
const MAX_SPARE_BYTES = 256 * 1024
/** `\u00xx`: what one byte may become at most. */
const MOST_ESCAPED = 6
const CID_BYTES = 36
/** Prefix and base32 of a CID. */
const CID_TEXT_BYTES = 59
/** More than any number takes, or what stands around bytes and links. */
const SMALL_BYTES = 32

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d] as const
const FINISHED = new Uint8Array(0)
const NULL = encodeAscii('null')
const TRUE = encodeAscii('true')
const FALSE = encodeAscii('false')
const LINK = encodeAscii('{"$link":"')
const BYTES = encodeAscii('{"$bytes":"')
const BASE32 = encodeAscii('abcdefghijklmnopqrstuvwxyz234567')
const HEX = encodeAscii('0123456789abcdef')
/** Characters below the space that JSON has a short form for. */
const SHORT_FORMS: Readonly<Record<number, number>> = { 8: 0x62, 9: 0x74, 10: 0x6e, 12: 0x66, 13: 0x72 }

function encodeAscii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** What the last writer wrote into. An array that grows with every answer costs more to collect than to fill. */
let spare: Uint8Array | undefined

/**
 * Writes JSON as UTF-8, of which values come straight from DRISL-CBOR: no string and no object is made of them. What it
 * writes of a value is what `stringify(decode(bytes))` says, with keys in the order of the bytes.
 * @see https://atproto.com/specs/data-model#json-representation
 */
export class JsonWriter {
  #out: Uint8Array
  #end = 0

  constructor() {
    this.#out = spare ?? new Uint8Array(FIRST_BYTES)
    spare = undefined
  }

  /** JSON that is UTF-8 already: what many values begin with. */
  raw(bytes: Uint8Array): this {
    this.#room(bytes.length)
    this.#copy(bytes)
    return this
  }

  /**
   * ASCII as it is: punctuation, and text that has nothing to escape. Of a text that was put together just now, the parts
   * are cheaper one by one.
   */
  ascii(text: string): this {
    this.#room(text.length)
    const out = this.#out
    const start = this.#end
    for (let i = 0; i < text.length; i++) out[start + i] = text.charCodeAt(i)
    this.#end = start + text.length
    return this
  }

  /** The base32 text of the 36 bytes of a CID at `at`, without quotes. */
  cid(bytes: Uint8Array, at = 0): this {
    this.#room(CID_TEXT_BYTES)
    const out = this.#out
    let to = this.#end
    out[to++] = 0x62
    // Five bytes are eight characters; one byte is left over.
    let i = at
    for (const last = at + CID_BYTES - 1; i < last; i += 5) {
      const high = (bytes[i]! << 12) | (bytes[i + 1]! << 4) | (bytes[i + 2]! >> 4)
      const low = ((bytes[i + 2]! & 15) << 16) | (bytes[i + 3]! << 8) | bytes[i + 4]!
      out[to] = BASE32[high >> 15]!
      out[to + 1] = BASE32[(high >> 10) & 31]!
      out[to + 2] = BASE32[(high >> 5) & 31]!
      out[to + 3] = BASE32[high & 31]!
      out[to + 4] = BASE32[low >> 15]!
      out[to + 5] = BASE32[(low >> 10) & 31]!
      out[to + 6] = BASE32[(low >> 5) & 31]!
      out[to + 7] = BASE32[low & 31]!
      to += 8
    }
    out[to++] = BASE32[bytes[i]! >> 3]!
    out[to++] = BASE32[(bytes[i]! & 7) << 2]!
    this.#end = to
    return this
  }

  /**
   * The JSON form of a value.
   * @param drisl bytes that `encode` made, or `decode` has taken: they are walked, not judged.
   * @throws {DataError} InvalidCbor when they are cut off, or go on after the value: what was stored is damaged.
   */
  value(drisl: Uint8Array): this {
    this.#room(drisl.length * 2)
    const end = this.#value(drisl, 0)
    if (end !== drisl.length)
      throw new DataError('InvalidCbor', `the value ends at byte ${end} of ${drisl.length}`)
    return this
  }

  /** What was written; the writer must not be used afterwards. */
  finish(): Uint8Array {
    const out = this.#out
    if (out.length <= MAX_SPARE_BYTES) spare = out
    this.#out = FINISHED
    return out.slice(0, this.#end)
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#out.length) return
    const larger = new Uint8Array(Math.max(this.#out.length * 2, this.#end + bytes))
    larger.set(this.#out.subarray(0, this.#end))
    this.#out = larger
  }

  /** Where there is room. */
  #copy(bytes: Uint8Array): void {
    const out = this.#out
    const start = this.#end
    for (let i = 0; i < bytes.length; i++) out[start + i] = bytes[i]!
    this.#end = start + bytes.length
  }

  /** @returns where the value that begins at `at` ends. */
  #value(bytes: Uint8Array, at: number): number {
    const initial = bytes[at]
    if (initial === undefined) throw cutOff(bytes)
    const major = initial >> 5
    this.#room(SMALL_BYTES)
    if (major === 7) {
      this.#copy(initial === 0xf5 ? TRUE : initial === 0xf4 ? FALSE : NULL)
      return at + 1
    }
    const info = initial & 0x1f
    const isShort = info < 24
    const body = at + 1 + (isShort ? 0 : 1 << (info - 24))
    const count = isShort ? info : argumentAt(bytes, at + 1, body)
    switch (major) {
      case 0:
        this.ascii(String(count))
        return body
      case 1:
        this.ascii(String(-1 - count))
        return body
      case 2:
        if (body + count > bytes.length) throw cutOff(bytes)
        this.#copy(BYTES)
        this.ascii(toBase64(bytes.subarray(body, body + count))).ascii('"}')
        return body + count
      case 3:
        return this.#text(bytes, body, body + count)
      case 4:
        return this.#items(bytes, body, count)
      case 5:
        return this.#entries(bytes, body, count)
      default:
        // Tag 42, a byte string of 37 bytes, of which the first is 0.
        if (body + 3 + CID_BYTES > bytes.length) throw cutOff(bytes)
        this.#copy(LINK)
        this.cid(bytes, body + 3).ascii('"}')
        return body + 3 + CID_BYTES
    }
  }

  #items(bytes: Uint8Array, start: number, count: number): number {
    let at = start
    this.#out[this.#end++] = OPEN_LIST
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#byte(COMMA)
      at = this.#value(bytes, at)
    }
    this.#byte(CLOSE_LIST)
    return at
  }

  #entries(bytes: Uint8Array, start: number, count: number): number {
    let at = start
    this.#out[this.#end++] = OPEN_MAP
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#byte(COMMA)
      at = this.#value(bytes, at)
      this.#byte(COLON)
      at = this.#value(bytes, at)
    }
    this.#byte(CLOSE_MAP)
    return at
  }

  #byte(byte: number): void {
    this.#room(1)
    this.#out[this.#end++] = byte
  }

  /** UTF-8 is copied as it is, but for what JSON escapes. */
  #text(bytes: Uint8Array, start: number, end: number): number {
    if (end > bytes.length) throw cutOff(bytes)
    this.#room((end - start) * MOST_ESCAPED + 2)
    const out = this.#out
    let to = this.#end
    out[to++] = QUOTE
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        out[to++] = byte
        continue
      }
      out[to++] = BACKSLASH
      const short = byte >= 0x20 ? byte : SHORT_FORMS[byte]
      if (short !== undefined) {
        out[to++] = short
        continue
      }
      out[to++] = 0x75
      out[to++] = 0x30
      out[to++] = 0x30
      out[to++] = HEX[byte >> 4]!
      out[to++] = HEX[byte & 15]!
    }
    out[to++] = QUOTE
    this.#end = to
    return end
  }
}

/** The number in the bytes from `at` to `end`. */
function argumentAt(bytes: Uint8Array, at: number, end: number): number {
  if (end > bytes.length) throw cutOff(bytes)
  let value = 0
  for (let i = at; i < end; i++) value = value * 256 + bytes[i]!
  return value
}

const cutOff = (bytes: Uint8Array): DataError =>
  new DataError('InvalidCbor', `a value goes on after its ${bytes.length} bytes`)
