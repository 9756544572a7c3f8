/** Order of two byte strings, bytewise and unsigned; a prefix comes before what it begins. Negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** Whether two byte strings are the same. Not constant-time: never compare secrets with it. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** One new byte string out of many, in order. */
export function concatBytes(parts: Iterable<Uint8Array>): Uint8Array {
  const list = [...parts]
  const joined = new Uint8Array(list.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of list) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
