import { sha256 } from '#sha256'
import { equalBytes } from './bytes.ts'
import { DataError } from './data-error.ts'
import { fromBase32, toBase32 } from './multibase.ts'

/** Codec of a CID that names a DRISL-CBOR block: a commit, an MST node, a record. */
export const DRISL_CODEC = 0x71
/** Codec of a CID that names bytes as they are: a blob. */
export const RAW_CODEC = 0x55

export type CidCodec = typeof DRISL_CODEC | typeof RAW_CODEC

const CID_BYTES = 36
/** `b`, then 36 bytes in base32. */
const CID_CHARACTERS = 59
const DIGEST_OFFSET = 4
const VERSION_1 = 0x01
const SHA256_CODE = 0x12
const SHA256_BYTES = 32

/**
 * The content address of a block: its codec and the SHA-256 of its bytes. Only the form that atproto blesses exists
 * here: version 1, DRISL or raw, SHA-256; everything else is refused where it comes in.
 *
 * Compared as bytes; the text is made when someone reads it. Two CIDs are the same when {@link Cid.equals} says so,
 * never by `===`.
 * @see https://atproto.com/specs/data-model#link-and-cid-formats
 */
export class Cid {
  /** `01 71|55 12 20`, then the 32 bytes of the digest. Never write to it. */
  readonly bytes: Uint8Array
  #text: string | undefined

  /**
   * @param bytes kept, not copied: it must never change.
   * @throws {DataError} InvalidCid when they are not the 36 bytes of such a CID.
   */
  constructor(bytes: Uint8Array) {
    if (
      bytes.length !== CID_BYTES ||
      bytes[0] !== VERSION_1 ||
      (bytes[1] !== DRISL_CODEC && bytes[1] !== RAW_CODEC) ||
      bytes[2] !== SHA256_CODE ||
      bytes[3] !== SHA256_BYTES
    )
      throw new DataError('InvalidCid', whyNotACid(bytes))
    this.bytes = bytes
  }

  get codec(): CidCodec {
    return this.bytes[1] as CidCodec
  }

  /** The SHA-256 of the block: 32 bytes, a view into {@link Cid.bytes}. */
  get digest(): Uint8Array {
    return this.bytes.subarray(DIGEST_OFFSET)
  }

  equals(other: Cid): boolean {
    return this === other || equalBytes(this.bytes, other.bytes)
  }

  /** Base32 with its multibase prefix, such as `bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq`. */
  toString(): string {
    return (this.#text ??= `b${toBase32(this.bytes)}`)
  }

  toJSON(): { $link: string } {
    return { $link: this.toString() }
  }

  /** What Node's console and assertion messages show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Cid(${this.toString()})`
  }
}

function whyNotACid(bytes: Uint8Array): string {
  const prefix = Array.from(bytes.subarray(0, DIGEST_OFFSET), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join(' ')
  return `not a CID of atproto: ${bytes.length} bytes that begin ${prefix} (expected 36 that begin 01 71 12 20 or 01 55 12 20: version 1, DRISL or raw, SHA-256)`
}

/** The CID of a DRISL-CBOR block, made from its bytes as they are: they are not decoded. */
export const cidOfDrisl = (block: Uint8Array): Cid => cidFromDigest(DRISL_CODEC, sha256(block))

/** The CID of raw bytes: a blob. */
export const cidOfRaw = (bytes: Uint8Array): Cid => cidFromDigest(RAW_CODEC, sha256(bytes))

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
  const bytes = new Uint8Array(CID_BYTES)
  bytes[0] = VERSION_1
  bytes[1] = codec
  bytes[2] = SHA256_CODE
  bytes[3] = SHA256_BYTES
  bytes.set(digest, DIGEST_OFFSET)
  return new Cid(bytes)
}

/**
 * @param bytes exactly 36; kept, not copied.
 * @throws {DataError} InvalidCid when they are not a CID of atproto.
 */
export const cidFromBytes = (bytes: Uint8Array): Cid => new Cid(bytes)

/**
 * @param text base32 in lower case with its prefix `b`: the one text form that the data model allows.
 * @throws {DataError} InvalidCid when it is anything else.
 */
export function parseCid(text: string): Cid {
  if (text.length !== CID_CHARACTERS || text[0] !== 'b') throw new DataError('InvalidCid', notACidText(text))
  let bytes: Uint8Array
  try {
    bytes = fromBase32(text.slice(1))
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

export const isCid = (value: unknown): value is Cid => value instanceof Cid
