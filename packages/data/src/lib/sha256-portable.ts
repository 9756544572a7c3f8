import { sha256 } from '@noble/hashes/sha2.js'

export { sha256 }

/** Writes the SHA-256 of `bytes` into `target` at `at`: 32 bytes, for which there has to be room. */
export function writeSha256(bytes: Uint8Array, target: Uint8Array, at: number): void {
  target.set(sha256(bytes), at)
}

/** Whether `bytes` have the SHA-256 that stands at `at` in `expected`. */
export function hasSha256(bytes: Uint8Array, expected: Uint8Array, at: number): boolean {
  const digest = sha256(bytes)
  for (let i = 0; i < digest.length; i++) if (digest[i] !== expected[at + i]) return false
  return true
}
