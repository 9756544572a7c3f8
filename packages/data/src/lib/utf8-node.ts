import { Buffer } from 'node:buffer'
import { decodeUtf8 as decodeStrictly } from './utf8-portable.ts'

/** Methods of Buffer work on any Uint8Array, and take offsets: no view is made. */
const { utf8Slice, utf8Write } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string
  utf8Write(this: Uint8Array, text: string, at: number): number
}

/** As its portable twin; three times as fast for the short strings that records are made of. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  const text = utf8Slice.call(bytes, start, end)
  // The mark stands for what is not UTF-8, unless it was there before.
  return text.includes('\ufffd') ? decodeStrictly(bytes, start, end) : text
}

/** As its portable twin. */
export function writeUtf8(text: string, buffer: Uint8Array, at: number): number {
  return utf8Write.call(buffer, text, at)
}
