import { writeSha256 } from '#sha256'
import { DataError } from './data-error.ts'
import { base32 } from './lib/base32.ts'

/** Codec of a CID that names a DRISL-CBOR block: a commit, an MST node, a record. */
export const DRISL_CODEC = 0x71
/** Codec of a CID that names bytes as they are: a blob. */
export const RAW_CODEC = 0x55

export type CidCodec = typeof DRISL_CODEC | typeof RAW_CODEC

const CID_BYTES = 36
const MULTIBASE_BASE32 = 'b'
/** The prefix, then 36 bytes in base32. */
const CID_CHARACTERS = 59
const DIGEST_OFFSET = 4
const VERSION_1 = 0x01
const SHA256_CODE = 0x12
const SHA256_BYTES = 32
/** The first four bytes as one word. */
const DRISL_HEAD = 0x0171_1220
const RAW_HEAD = 0x0155_1220

/**
 * The content address of a block: its codec and the SHA-256 of its bytes. Only the form that atproto blesses exists
 * here: version 1, DRISL or raw, SHA-256; everything else is refused where it comes in.
 *
 * Nine numbers rather than 36 bytes: an array of bytes costs several times as much to make and to keep, and a view would
 * keep all of its file alive. Bytes and text are made when someone reads them. Two CIDs are the same when
 * {@link Cid.equals} says so, never by `===`.
 * @see https://atproto.com/specs/data-model#link-and-cid-formats
 */
export class Cid {
  readonly codec: CidCodec
  /** The digest in words of 32 bits, big-endian and signed: numbers that V8 keeps without an allocation. */
  readonly w0: number
  readonly w1: number
  readonly w2: number
  readonly w3: number
  readonly w4: number
  readonly w5: number
  readonly w6: number
  readonly w7: number
  #bytes: Uint8Array | undefined
  #text: string | undefined

  /**
   * @param source read, and not kept. Out of a `DataView` words are read in a third of the time.
   * @param offset where the 36 bytes begin. Without it, `source` has to be those 36 and nothing else.
   * @throws {DataError} InvalidCid when they are not the 36 bytes of such a CID.
   */
  constructor(source: Uint8Array | DataView, offset?: number) {
    const at = offset ?? 0
    this.codec = codecAt(source, at, offset === undefined)
    if (source instanceof DataView) {
      this.w0 = source.getInt32(at + 4)
      this.w1 = source.getInt32(at + 8)
      this.w2 = source.getInt32(at + 12)
      this.w3 = source.getInt32(at + 16)
      this.w4 = source.getInt32(at + 20)
      this.w5 = source.getInt32(at + 24)
      this.w6 = source.getInt32(at + 28)
      this.w7 = source.getInt32(at + 32)
    } else {
      this.w0 = wordAt(source, at + 4)
      this.w1 = wordAt(source, at + 8)
      this.w2 = wordAt(source, at + 12)
      this.w3 = wordAt(source, at + 16)
      this.w4 = wordAt(source, at + 20)
      this.w5 = wordAt(source, at + 24)
      this.w6 = wordAt(source, at + 28)
      this.w7 = wordAt(source, at + 32)
    }
  }

  /** `01 71|55 12 20`, then the 32 bytes of the digest. Made when first read, and kept: never write to it. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) {
      this.#bytes = new Uint8Array(CID_BYTES)
      this.writeTo(this.#bytes, 0)
    }
    return this.#bytes
  }

  /** The SHA-256 of the block: 32 bytes, a view into {@link Cid.bytes}. */
  get digest(): Uint8Array {
    return this.bytes.subarray(DIGEST_OFFSET)
  }

  /** Writes the 36 bytes at `at`, where there has to be room for them, without making {@link Cid.bytes}. */
  writeTo(target: Uint8Array | DataView, at: number): void {
    const head = this.codec === DRISL_CODEC ? DRISL_HEAD : RAW_HEAD
    if (target instanceof DataView) {
      target.setInt32(at, head)
      target.setInt32(at + 4, this.w0)
      target.setInt32(at + 8, this.w1)
      target.setInt32(at + 12, this.w2)
      target.setInt32(at + 16, this.w3)
      target.setInt32(at + 20, this.w4)
      target.setInt32(at + 24, this.w5)
      target.setInt32(at + 28, this.w6)
      target.setInt32(at + 32, this.w7)
    } else {
      writeWord(target, at, head)
      writeWord(target, at + 4, this.w0)
      writeWord(target, at + 8, this.w1)
      writeWord(target, at + 12, this.w2)
      writeWord(target, at + 16, this.w3)
      writeWord(target, at + 20, this.w4)
      writeWord(target, at + 24, this.w5)
      writeWord(target, at + 28, this.w6)
      writeWord(target, at + 32, this.w7)
    }
  }

  /** Whether the 36 bytes at `at` are this CID, without making {@link Cid.bytes}. */
  isAt(bytes: Uint8Array, at: number): boolean {
    return (
      this.w0 === wordAt(bytes, at + 4) &&
      this.w1 === wordAt(bytes, at + 8) &&
      this.w2 === wordAt(bytes, at + 12) &&
      this.w3 === wordAt(bytes, at + 16) &&
      this.w4 === wordAt(bytes, at + 20) &&
      this.w5 === wordAt(bytes, at + 24) &&
      this.w6 === wordAt(bytes, at + 28) &&
      this.w7 === wordAt(bytes, at + 32) &&
      bytes[at] === VERSION_1 &&
      bytes[at + 1] === this.codec &&
      bytes[at + 2] === SHA256_CODE &&
      bytes[at + 3] === SHA256_BYTES
    )
  }

  equals(other: Cid): boolean {
    return (
      this.w0 === other.w0 &&
      this.w1 === other.w1 &&
      this.w2 === other.w2 &&
      this.w3 === other.w3 &&
      this.w4 === other.w4 &&
      this.w5 === other.w5 &&
      this.w6 === other.w6 &&
      this.w7 === other.w7 &&
      this.codec === other.codec
    )
  }

  /** Base32 with its multibase prefix, such as `bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq`. */
  toString(): string {
    return (this.#text ??= this.#toText())
  }

  #toText(): string {
    this.writeTo(scratch, 0)
    return base32.encode(scratch, MULTIBASE_BASE32)
  }

  toJSON(): { $link: string } {
    return { $link: this.toString() }
  }

  /** What Node's console and assertion messages show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Cid(${this.toString()})`
  }
}

/** Four bytes as {@link Cid.w0} and the others hold them. For this package. */
export const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}

/** What the first four bytes of a CID say, of which two are possible. */
function codecAt(source: Uint8Array | DataView, at: number, isWhole: boolean): CidCodec {
  const size = source.byteLength - at
  if (isWhole ? size !== CID_BYTES : size < CID_BYTES) throw notACid(source, at)
  const head = source instanceof DataView ? source.getInt32(at) : wordAt(source, at)
  if (head === DRISL_HEAD) return DRISL_CODEC
  if (head === RAW_HEAD) return RAW_CODEC
  throw notACid(source, at)
}

function notACid(source: Uint8Array | DataView, at: number): DataError {
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength).subarray(at)
  const prefix = Array.from(bytes.subarray(0, DIGEST_OFFSET), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join(' ')
  return new DataError(
    'InvalidCid',
    `not a CID of atproto: ${bytes.length} bytes that begin ${prefix} (expected 36 that begin 01 71 12 20 or 01 55 12 20: version 1, DRISL or raw, SHA-256)`,
  )
}

/** The CID of a DRISL-CBOR block, made from its bytes as they are: they are not decoded. */
export const cidOfDrisl = (block: Uint8Array): Cid => cidOf(DRISL_CODEC, block)

/** The CID of raw bytes: a blob. */
export const cidOfRaw = (bytes: Uint8Array): Cid => cidOf(RAW_CODEC, bytes)

function cidOf(codec: CidCodec, bytes: Uint8Array): Cid {
  scratch[1] = codec
  writeSha256(bytes, scratch, DIGEST_OFFSET)
  return new Cid(scratch)
}

/**
 * @param digest 32 bytes, copied.
 * @throws {DataError} InvalidCid when they are not 32, or the codec is neither DRISL nor raw.
 */
export function cidFromDigest(codec: number, digest: Uint8Array): Cid {
  if (digest.length !== SHA256_BYTES || (codec !== DRISL_CODEC && codec !== RAW_CODEC))
    throw new DataError(
      'InvalidCid',
      `no CID of codec 0x${codec.toString(16)} and a digest of ${digest.length} bytes (expected 0x71 or 0x55, and 32)`,
    )
  scratch[1] = codec
  scratch.set(digest, DIGEST_OFFSET)
  return new Cid(scratch)
}

/** A CID in the making. One for all: whoever reads it keeps nothing of it. */
const scratch = new Uint8Array(CID_BYTES)
scratch[0] = VERSION_1
scratch[2] = SHA256_CODE
scratch[3] = SHA256_BYTES

/**
 * @param bytes exactly 36; read, and not kept.
 * @throws {DataError} InvalidCid when they are not a CID of atproto.
 */
export const cidFromBytes = (bytes: Uint8Array): Cid => new Cid(bytes)

/**
 * @param text base32 in lower case with its prefix `b`: the one text form that the data model allows.
 * @throws {DataError} InvalidCid when it is anything else.
 */
export function parseCid(text: string): Cid {
  if (text.length !== CID_CHARACTERS || text[0] !== MULTIBASE_BASE32)
    throw new DataError('InvalidCid', notACidText(text))
  let bytes: Uint8Array
  try {
    bytes = base32.decode(text.slice(1))
  } catch (cause) {
    throw new DataError('InvalidCid', notACidText(text), { cause })
  }
  return new Cid(bytes)
}

function notACidText(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return `not a CID: ${JSON.stringify(shown)} (expected b and 58 characters of base32 in lower case)`
}

/** The CID that `text` is, or `undefined`. */
export function tryParseCid(text: unknown): Cid | undefined {
  if (typeof text !== 'string') return undefined
  try {
    return parseCid(text)
  } catch {
    return undefined
  }
}

/**
 * Codec and hash are said by six characters and two bits, of which those at the start of the digest make one more character;
 * its end is three bits in a character of their own.
 */
const CID_TEXT = /^baf[ky]rei[a-h][a-z2-7]{50}[aeimquy4]$/

/** Whether {@link parseCid} takes a value, without making the CID. */
export const isCidText = (value: unknown): value is string =>
  typeof value === 'string' && CID_TEXT.test(value)

export const isCid = (value: unknown): value is Cid => value instanceof Cid
