import { decodeUtf8 } from '#utf8'
import { DataError } from '../data-error.ts'

/** One of the encodings of RFC 4648 that spend a fixed number of bits on each character. */
export interface Rfc4648 {
  /** @param prefix of the text: one ASCII character, such as a multibase prefix, or none. */
  encode(bytes: Uint8Array, prefix?: string): string
  /** Strict: unpadded, no other character, no bits left over that are not zero. */
  decode(text: string): Uint8Array
}

const NOT_IN_ALPHABET = 0xff

/**
 * Text on its way to a string. One for all that is not longer, since nothing here waits: V8 keeps arrays as short as a CID
 * on its own heap, and moves each out of there, which takes it over a microsecond, when native code first sees it.
 */
const shared = new Uint8Array(1024)
const sharedWords = new DataView(shared.buffer)

/**
 * @param name for messages.
 * @param alphabet 2ⁿ ASCII characters, by value.
 * @param aliases further characters that decode to the value of one in the alphabet.
 * @see https://www.rfc-editor.org/rfc/rfc4648
 */
export function rfc4648(
  name: string,
  alphabet: string,
  aliases: Readonly<Record<string, string>> = {},
): Rfc4648 {
  const bits = Math.log2(alphabet.length)
  const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0))
  const values = new Uint8Array(128).fill(NOT_IN_ALPHABET)
  codes.forEach((code, value) => {
    values[code] = value
  })
  for (const [alias, character] of Object.entries(aliases))
    values[alias.charCodeAt(0)] = values[character.charCodeAt(0)]!

  return {
    encode(bytes, prefix = '') {
      const length = prefix.length + Math.ceil((bytes.length * 8) / bits)
      const text = length <= shared.length ? shared : new Uint8Array(length)
      let at = 0
      if (prefix !== '') text[at++] = prefix.charCodeAt(0)
      let buffer = 0
      let pending = 0
      for (let i = 0; i < bytes.length; i++) {
        buffer = (buffer << 8) | bytes[i]!
        pending += 8
        while (pending >= bits) {
          pending -= bits
          text[at++] = codes[buffer >> pending]!
          buffer &= (1 << pending) - 1
        }
      }
      if (pending > 0) text[at++] = codes[buffer << (bits - pending)]!
      return decodeUtf8(text, 0, at, text === shared ? sharedWords : undefined)!
    },

    decode(text) {
      const bytes = new Uint8Array(Math.floor((text.length * bits) / 8))
      let buffer = 0
      let pending = 0
      let at = 0
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i)
        const value = code < 128 ? values[code]! : NOT_IN_ALPHABET
        if (value === NOT_IN_ALPHABET)
          throw new DataError(
            'InvalidMultibase',
            `not ${name}: ${JSON.stringify(text[i])} at character ${i} is not in its alphabet`,
          )
        buffer = (buffer << bits) | value
        pending += bits
        if (pending >= 8) {
          pending -= 8
          bytes[at++] = buffer >> pending
          buffer &= (1 << pending) - 1
        }
      }
      if (pending >= bits)
        throw new DataError(
          'InvalidMultibase',
          `not ${name}: ${text.length} characters are a length that no bytes encode to`,
        )
      if (buffer !== 0)
        throw new DataError(
          'InvalidMultibase',
          `not ${name}: the last character carries bits that are not zero`,
        )
      return bytes
    },
  }
}
