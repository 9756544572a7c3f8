/** Standard alphabet with padding, as everywhere in transparency logs. */
export const encodeBase64 = (bytes: Uint8Array): string => bytes.toBase64()

/** `undefined` for anything but the one spelling that {@link encodeBase64} gives. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
    return encodeBase64(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}
