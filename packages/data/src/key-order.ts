import { DataError } from './data-error.ts'
import { compareEncodedKeys, type EncodedText, encodedText } from './lib/encoded-text.ts'

/**
 * Order of two keys in a DRISL-CBOR map: by the length of their UTF-8, then by its bytes. It is not the order of
 * JavaScript. Negative, zero or positive.
 * @throws {DataError} InvalidValue when one has a lone surrogate.
 * @see https://atproto.com/specs/data-model
 */
export function compareKeys(a: string, b: string): number {
  return compareEncodedKeys(wellFormed(a), wellFormed(b))
}

function wellFormed(key: string): EncodedText {
  const encoded = encodedText(key)
  if (encoded === undefined)
    throw new DataError('InvalidValue', `${JSON.stringify(key)} cannot be a key: it has a lone surrogate`)
  return encoded
}
