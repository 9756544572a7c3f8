/** Bytes of a scalar of either curve, big-endian. */
export const SCALAR_BYTES = 32

/** Whether the scalar at `offset` is zero. */
export function isZero(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < SCALAR_BYTES; i++) if (bytes[offset + i] !== 0) return false
  return true
}

/** Whether the scalar at `offset` is at most `bound`. */
export function isAtMost(bytes: Uint8Array, offset: number, bound: Uint8Array): boolean {
  for (let i = 0; i < SCALAR_BYTES; i++) {
    const difference = bytes[offset + i]! - bound[i]!
    if (difference !== 0) return difference < 0
  }
  return true
}

/** Whether the scalar at `offset` is below `bound`. */
export function isBelow(bytes: Uint8Array, offset: number, bound: Uint8Array): boolean {
  for (let i = 0; i < SCALAR_BYTES; i++) {
    const difference = bytes[offset + i]! - bound[i]!
    if (difference !== 0) return difference < 0
  }
  return false
}

/** Replaces the scalar x at `offset` by `minuend` - x, in place. x must not be the larger. */
export function subtractFrom(minuend: Uint8Array, bytes: Uint8Array, offset: number): void {
  let borrow = 0
  for (let i = SCALAR_BYTES - 1; i >= 0; i--) {
    const difference = minuend[i]! - bytes[offset + i]! - borrow
    bytes[offset + i] = difference & 0xff
    borrow = difference < 0 ? 1 : 0
  }
}
