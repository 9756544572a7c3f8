import { sha256 } from '@noble/hashes/sha2.js'

export { sha256 }

/** Whether `bytes` have the SHA-256 that stands at `at` in `expected`. */
export function hasSha256(bytes: Uint8Array, expected: Uint8Array, at: number): boolean {
  const digest = sha256(bytes)
  for (let i = 0; i < digest.length; i++) if (digest[i] !== expected[at + i]) return false
  return true
}
