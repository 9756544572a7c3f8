import { sha256 as digest, writeSha256 as writeDigest } from '#sha256'

/**
 * SHA-256 of `bytes`: 32 bytes that belong to the caller. Synchronous everywhere: OpenSSL under Node, portable
 * JavaScript elsewhere.
 */
export const sha256: (bytes: Uint8Array) => Uint8Array = digest

/** Writes the SHA-256 of `bytes` into `target` at `at`: 32 bytes, for which there has to be room. No array is made. */
export const writeSha256: (bytes: Uint8Array, target: Uint8Array, at: number) => void = writeDigest
