import { base32 } from './lib/base32.ts'
import { rfc4648 } from './lib/rfc4648.ts'

export { fromBase58btc, toBase58btc } from './lib/base58btc.ts'
export { decodeVarint, encodeVarint } from './lib/varint.ts'

const base64 = rfc4648('base64', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const base64url = rfc4648('base64url', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
const hex = rfc4648('hexadecimal', '0123456789abcdef', { A: 'a', B: 'b', C: 'c', D: 'd', E: 'e', F: 'f' })

/** Base32 of RFC 4648 in lower case, unpadded, without a multibase prefix. */
export const toBase32 = (bytes: Uint8Array): string => base32.encode(bytes)

/**
 * The inverse of {@link toBase32}; strict: lower case, unpadded, canonical.
 * @throws {DataError} InvalidMultibase.
 */
export const fromBase32 = (text: string): Uint8Array => base32.decode(text)

/** Standard base64, unpadded: the form that the data model writes. */
export const toBase64 = (bytes: Uint8Array): string => base64.encode(bytes)

/**
 * Standard base64, padded or not: the data model allows both.
 * @throws {DataError} InvalidMultibase, also on padding that does not complete a group of four.
 * @see https://atproto.com/specs/data-model#json-representation
 */
export function fromBase64(text: string): Uint8Array {
  const padding = text.length % 4 !== 0 ? 0 : text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return base64.decode(padding === 0 ? text : text.slice(0, -padding))
}

/** Base64 for URLs, unpadded. */
export const toBase64url = (bytes: Uint8Array): string => base64url.encode(bytes)

/**
 * The inverse of {@link toBase64url}; strict: unpadded, canonical.
 * @throws {DataError} InvalidMultibase.
 */
export const fromBase64url = (text: string): Uint8Array => base64url.decode(text)

/** Hexadecimal in lower case. */
export const toHex = (bytes: Uint8Array): string => hex.encode(bytes)

/**
 * Hexadecimal in either case, two digits to a byte.
 * @throws {DataError} InvalidMultibase.
 */
export const fromHex = (text: string): Uint8Array => hex.decode(text)
