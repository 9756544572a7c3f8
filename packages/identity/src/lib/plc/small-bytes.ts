const SLAB_BYTES = 4096

let slab = new Uint8Array(SLAB_BYTES)
let used = 0

/**
 * Memory for some bytes, filled with whatever was there. Operations are short, and an allocation for each takes longer than
 * encoding it: they share pieces so small that one which is kept keeps little else.
 */
export function takeBytes(length: number): Uint8Array {
  if (length > SLAB_BYTES / 2) return new Uint8Array(length)
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  return slab.subarray(used, (used += length))
}

const borrowed = new Uint8Array(2 * SLAB_BYTES)

/** Memory for some bytes that nobody keeps: what is borrowed next overwrites them. */
export const borrowBytes = (length: number): Uint8Array =>
  length <= borrowed.length ? borrowed.subarray(0, length) : new Uint8Array(length)
