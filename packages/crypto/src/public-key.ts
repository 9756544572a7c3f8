import { decodeVarint, encodeVarint, fromBase58btc, toBase58btc, toHex } from '@imago/data/multibase'
import { KeyError } from './key-error.ts'
import { isCanonicalSignature } from './lib/compact-signature.ts'
import type { Verify } from './lib/curve-backend.ts'
import { CURVES, type Curve } from './lib/curves.ts'

/** A public key as `did:key` writes it. */
export type DidKey = `did:key:z${string}`

const DID_KEY_PREFIX = 'did:key:'
const BASE58BTC_PREFIX = 'z'
const POINT_BYTES = 33
/** Far above any key of either curve, and low enough that decoding what is not a key costs nothing. */
const MAX_TEXT_LENGTH = 256

/**
 * A public key that is known to be good: parsed, on its curve, and held in the form that its library verifies with.
 * Opening one costs a good part of a verification, so keep the key rather than its text.
 */
export class PublicKey {
  readonly curve: Curve
  /** The compressed point: 33 bytes. Not to be written to. */
  readonly bytes: Uint8Array
  readonly #verify: Verify
  #didKey: DidKey | undefined

  /**
   * @param bytes a compressed point of the curve: 33 bytes, the first one 2 or 3. The key takes them over.
   * @throws {KeyError} InvalidKey when they are not one.
   */
  constructor(curve: Curve, bytes: Uint8Array) {
    if (bytes.length !== POINT_BYTES || (bytes[0] !== 2 && bytes[0] !== 3))
      throw new KeyError(
        'InvalidKey',
        `a ${curve} public key is a compressed point of ${POINT_BYTES} bytes that begins with 02 or 03, not ${describe(bytes)}`,
      )
    try {
      this.#verify = CURVES[curve].backend.openPublicKey(bytes)
    } catch (cause) {
      throw new KeyError('InvalidKey', `not a point of the curve ${curve}: ${describe(bytes)}`, { cause })
    }
    this.curve = curve
    this.bytes = bytes
  }

  get didKey(): DidKey {
    this.#didKey ??= `${DID_KEY_PREFIX}${multikeyOf(this)}` as DidKey
    return this.#didKey
  }

  /** What {@link verifySignature} does, as a method. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return isCanonicalSignature(signature, CURVES[this.curve]) && this.#verify(message, signature)
  }
}

/**
 * The key that a `did:key` names.
 * @throws {KeyError} InvalidKey when the text is not a `did:key`, or its point is uncompressed or off the curve;
 * UnsupportedKeyType when its curve is neither P-256 nor K-256.
 * @see https://atproto.com/specs/cryptography#public-key-encoding
 */
export function parseDidKey(text: string): PublicKey {
  if (!text.startsWith(DID_KEY_PREFIX))
    throw new KeyError('InvalidKey', `not a did:key: ${excerpt(text)} (expected did:key:z…)`)
  return parseMultikey(text.slice(DID_KEY_PREFIX.length))
}

/** The key, when `text` is a `did:key` of a curve that atproto uses; otherwise `undefined`. */
export function tryParseDidKey(text: unknown): PublicKey | undefined {
  if (typeof text !== 'string') return undefined
  try {
    return parseDidKey(text)
  } catch (error) {
    if (error instanceof KeyError) return undefined
    throw error
  }
}

/**
 * The key in a verification method of type `Multikey`.
 * @param publicKeyMultibase base58btc with its prefix `z`, of a multicodec and a compressed point.
 * @throws {KeyError} as {@link parseDidKey}.
 * @see https://www.w3.org/TR/cid-1.0/#Multikey
 */
export function parseMultikey(publicKeyMultibase: string): PublicKey {
  const bytes = fromMultibase(publicKeyMultibase)
  const { value: multicodec, end } = multicodecOf(bytes, publicKeyMultibase)
  const curve = curveOf(multicodec)
  if (curve === undefined)
    throw new KeyError(
      'UnsupportedKeyType',
      `${excerpt(publicKeyMultibase)} holds a key of multicodec 0x${multicodec.toString(16)}: atproto uses P-256 (0x1200) and K-256 (0xe7)`,
    )
  return new PublicKey(curve, bytes.subarray(end))
}

/** A key as a verification method of type `Multikey` writes it: a `did:key` without its first eight characters. */
export function multikeyOf(key: PublicKey): string {
  const multicodec = encodeVarint(CURVES[key.curve].multicodec)
  const bytes = new Uint8Array(multicodec.length + POINT_BYTES)
  bytes.set(multicodec)
  bytes.set(key.bytes, multicodec.length)
  return BASE58BTC_PREFIX + toBase58btc(bytes)
}

function fromMultibase(text: string): Uint8Array {
  if (!text.startsWith(BASE58BTC_PREFIX) || text.length > MAX_TEXT_LENGTH)
    throw new KeyError('InvalidKey', `not a multibase key: ${excerpt(text)} (expected base58btc, z…)`)
  try {
    return fromBase58btc(text.slice(BASE58BTC_PREFIX.length))
  } catch (cause) {
    throw new KeyError('InvalidKey', `not base58btc: ${excerpt(text)}`, { cause })
  }
}

function multicodecOf(bytes: Uint8Array, text: string): { value: number; end: number } {
  try {
    return decodeVarint(bytes)
  } catch (cause) {
    throw new KeyError('InvalidKey', `no multicodec at the start of ${excerpt(text)}`, { cause })
  }
}

function curveOf(multicodec: number): Curve | undefined {
  if (multicodec === CURVES.k256.multicodec) return 'k256'
  return multicodec === CURVES.p256.multicodec ? 'p256' : undefined
}

function describe(bytes: Uint8Array): string {
  return `${bytes.length} bytes (${toHex(bytes.subarray(0, POINT_BYTES))}${bytes.length > POINT_BYTES ? '…' : ''})`
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
