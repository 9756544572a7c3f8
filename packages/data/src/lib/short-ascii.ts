/** Up to here, putting characters together is quicker than a call into the runtime. */
export const SHORT_ASCII = 16

/** Text out of a few bytes, or `undefined` when they are not all ASCII. */
export function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  let seen = 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const a = bytes[at]!
    const b = bytes[at + 1]!
    const c = bytes[at + 2]!
    const d = bytes[at + 3]!
    seen |= a | b | c | d
    text += String.fromCharCode(a, b, c, d)
  }
  for (; at < end; at++) {
    const a = bytes[at]!
    seen |= a
    text += String.fromCharCode(a)
  }
  return seen > 0x7f ? undefined : text
}
