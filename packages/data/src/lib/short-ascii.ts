/** Up to here, putting characters together is quicker than a call into the runtime. */
export const SHORT_ASCII = 16

const { fromCharCode } = String

/** Text out of a few bytes, or `undefined` when they are not all ASCII. */
export function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  let seen = 0
  let at = start
  // Many at a time: each call makes a string.
  for (; at + 8 <= end; at += 8) {
    const a = bytes[at]!
    const b = bytes[at + 1]!
    const c = bytes[at + 2]!
    const d = bytes[at + 3]!
    const e = bytes[at + 4]!
    const f = bytes[at + 5]!
    const g = bytes[at + 6]!
    const h = bytes[at + 7]!
    seen |= a | b | c | d | e | f | g | h
    text += fromCharCode(a, b, c, d, e, f, g, h)
  }
  const rest = end - at
  if (rest & 4) {
    const a = bytes[at]!
    const b = bytes[at + 1]!
    const c = bytes[at + 2]!
    const d = bytes[at + 3]!
    seen |= a | b | c | d
    text += fromCharCode(a, b, c, d)
    at += 4
  }
  if (rest & 2) {
    const a = bytes[at]!
    const b = bytes[at + 1]!
    seen |= a | b
    text += fromCharCode(a, b)
    at += 2
  }
  if (rest & 1) {
    const a = bytes[at]!
    seen |= a
    text += fromCharCode(a)
  }
  return seen > 0x7f ? undefined : text
}
