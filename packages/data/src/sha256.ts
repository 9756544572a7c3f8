import { sha256 as digest } from '#sha256'

/**
 * SHA-256 of `bytes`: 32 bytes that belong to the caller. Synchronous everywhere: OpenSSL under Node, portable
 * JavaScript elsewhere.
 */
export const sha256: (bytes: Uint8Array) => Uint8Array = digest
