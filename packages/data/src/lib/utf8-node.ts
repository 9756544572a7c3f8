import { Buffer } from 'node:buffer'
import { decodeUtf8 as decodeStrictly } from './utf8-portable.ts'

/** Methods of Buffer work on any Uint8Array, and take offsets: no view is made. */
const { latin1Slice, utf8Slice, utf8Write } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  utf8Slice(this: Uint8Array, start: number, end: number): string
  utf8Write(this: Uint8Array, text: string, at: number): number
}

/** Up to here, looking at the bytes is quicker than having Node look at them. */
const LONGEST_LOOKED_AT = 1024
const WORD = 4
/** Those that no ASCII character has, in a word. */
const HIGH_BITS = 0x8080_8080 | 0

/** Text in Latin-1 on its way to a string. One for all, since nothing here waits. */
const latin = new Uint8Array(LONGEST_LOOKED_AT)
const latinWords = new DataView(latin.buffer)

/**
 * As its portable twin; three times as fast for the short strings that records are made of.
 * @param words all of the memory that `bytes` are all of: with it, short text is decoded in less time.
 */
export function decodeUtf8(
  bytes: Uint8Array,
  start: number,
  end: number,
  words?: DataView,
): string | undefined {
  if (words !== undefined && end - start <= LONGEST_LOOKED_AT && end - start >= WORD) {
    if (isAscii(words, start, end)) return latin1Slice.call(bytes, start, end)
    const length = writeLatin(bytes, words, start, end)
    if (length !== NOT_LATIN) return latin1Slice.call(latin, 0, length)
  }
  const text = utf8Slice.call(bytes, start, end)
  // The mark stands for what is not UTF-8, unless it was there before.
  return text.includes('\ufffd') ? decodeStrictly(bytes, start, end) : text
}

/** Whether four bytes or more are all ASCII. */
function isAscii(words: DataView, start: number, end: number): boolean {
  let at = start
  // Many at a time, and yet text that is not ASCII shows early.
  for (; at + 4 * WORD <= end; at += 4 * WORD) {
    const seen =
      words.getInt32(at) |
      words.getInt32(at + WORD) |
      words.getInt32(at + 2 * WORD) |
      words.getInt32(at + 3 * WORD)
    if ((seen & HIGH_BITS) !== 0) return false
  }
  // What is left over may be no whole word: the last one goes over some bytes again.
  let seen = words.getInt32(end - WORD)
  for (; at + WORD <= end; at += WORD) seen |= words.getInt32(at)
  return (seen & HIGH_BITS) === 0
}

const NOT_LATIN = -1

/**
 * Writes text in Latin-1, and gives its length; {@link NOT_LATIN} when it has a character past U+00FF, or is no UTF-8. Of
 * text that is Latin and not all ASCII, Node makes strings of twice the size, in three times the time that ASCII takes.
 */
function writeLatin(bytes: Uint8Array, words: DataView, start: number, end: number): number {
  let at = start
  let to = 0
  while (at < end) {
    for (; at + 2 * WORD <= end; at += 2 * WORD, to += 2 * WORD) {
      const first = words.getInt32(at)
      const second = words.getInt32(at + WORD)
      if (((first | second) & HIGH_BITS) !== 0) break
      latinWords.setInt32(to, first)
      latinWords.setInt32(to + WORD, second)
    }
    for (const stop = Math.min(at + 2 * WORD, end); at < stop; at++) {
      const byte = bytes[at]!
      if (byte < 0x80) latin[to++] = byte
      else {
        // U+0080 to U+00FF are C2 or C3 and a byte that carries six bits; all other leads stand for more, or for nothing.
        if (byte >> 1 !== 0xc2 >> 1 || ++at === end || bytes[at]! >> 6 !== 0b10) return NOT_LATIN
        latin[to++] = ((byte & 0b11) << 6) | (bytes[at]! & 0x3f)
      }
    }
  }
  return to
}

/** As its portable twin. */
export function writeUtf8(text: string, buffer: Uint8Array, at: number): number {
  return utf8Write.call(buffer, text, at)
}
