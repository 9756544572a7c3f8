import { compareBytes } from '../bytes.ts'

/** A key of a map, or the name of a type, and what it is in DRISL-CBOR. */
export interface EncodedText {
  readonly text: string
  /** Header and UTF-8. */
  readonly bytes: Uint8Array
  /** The same in words of four bytes, filled up with zeros. */
  readonly words: readonly number[]
}

/** They come again and again, so they are kept; all are dropped when there are too many, which real data never has. */
const known = new Map<string, EncodedText>()
const MOST_KNOWN = 2048
export const LONGEST_KNOWN = 64

const utf8 = new TextEncoder()

/** @returns `undefined` for a key with a lone surrogate, which UTF-8 cannot spell. */
export function encodedText(text: string): EncodedText | undefined {
  const found = known.get(text)
  if (found !== undefined) return found
  if (!text.isWellFormed()) return undefined
  const bytes = withHeader(utf8.encode(text))
  const words = wordsOf(bytes)
  if (text.length > LONGEST_KNOWN) return { text, bytes, words }
  if (known.size >= MOST_KNOWN) known.clear()
  const own = asPropertyName(text)
  const encoded: EncodedText = { text: own, bytes, words }
  known.set(own, encoded)
  return encoded
}

/** The very string that V8 keeps for the name of a property: it is no part of a longer one, which would stay alive with it. */
const asPropertyName = (text: string): string => Object.keys({ [text]: null })[0]!

const TEXT = 0x60

function withHeader(text: Uint8Array): Uint8Array {
  const { length } = text
  const header =
    length < 24
      ? [TEXT | length]
      : length < 0x100
        ? [TEXT | 24, length]
        : length < 0x1_0000
          ? [TEXT | 25, length >> 8, length & 0xff]
          : [TEXT | 26, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]
  const bytes = new Uint8Array(header.length + length)
  bytes.set(header)
  bytes.set(text, header.length)
  return bytes
}

function wordsOf(bytes: Uint8Array): number[] {
  const words: number[] = new Array(Math.ceil(bytes.length / 4)).fill(0)
  for (const [i, byte] of bytes.entries()) words[i >> 2]! |= byte << (24 - 8 * (i & 3))
  return words
}

/**
 * Order of two keys in DRISL-CBOR: shorter first, then bytewise. Headers of equal length do not disturb it, and
 * those of different length only repeat it.
 */
export const compareEncodedKeys = (a: EncodedText, b: EncodedText): number =>
  a.bytes.length - b.bytes.length || compareBytes(a.bytes, b.bytes)

/** Stands before the first key. */
export const NO_TEXT: EncodedText = { text: '', bytes: new Uint8Array(), words: [] }
