import { hash } from 'node:crypto'

const DIGEST_BYTES = 32

/** Node's one-shot hash, by way of a string: making a Buffer for the digest takes longer than hashing 400 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(DIGEST_BYTES)
  writeSha256(bytes, digest, 0)
  return digest
}

/** As its portable twin, without an array for the digest. */
export function writeSha256(bytes: Uint8Array, target: Uint8Array, at: number): void {
  const characters = hash('sha256', bytes, 'latin1')
  for (let i = 0; i < DIGEST_BYTES; i++) target[at + i] = characters.charCodeAt(i)
}

/** As its portable twin, without an array for the digest. */
export function hasSha256(bytes: Uint8Array, expected: Uint8Array, at: number): boolean {
  const characters = hash('sha256', bytes, 'latin1')
  for (let i = 0; i < DIGEST_BYTES; i++) if (characters.charCodeAt(i) !== expected[at + i]) return false
  return true
}
