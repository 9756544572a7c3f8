import { DataError } from './data-error.ts'
import { compareEncodedKeys, type EncodedKey, encodedKey } from './lib/encoded-key.ts'

/**
 * Order of two keys in a DRISL-CBOR map: by the length of their UTF-8, then by its bytes. It is not the order of
 * JavaScript. Negative, zero or positive.
 * @throws {DataError} InvalidValue when one has a lone surrogate.
 * @see https://atproto.com/specs/data-model
 */
export function compareKeys(a: string, b: string): number {
  return compareEncodedKeys(wellFormed(a), wellFormed(b))
}

function wellFormed(key: string): EncodedKey {
  const encoded = encodedKey(key)
  if (encoded === undefined)
    throw new DataError('InvalidValue', `${JSON.stringify(key)} cannot be a key: it has a lone surrogate`)
  return encoded
}
