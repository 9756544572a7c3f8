const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** The text that UTF-8 in `bytes` from `start` to `end` spells, or `undefined` when it is not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

/** Writes well-formed text at `at`, where there has to be room for it, and gives the number of bytes that it took. */
export function writeUtf8(text: string, buffer: Uint8Array, at: number): number {
  return encoder.encodeInto(text, buffer.subarray(at)).written
}
