import type { PublicKey } from './public-key.ts'

/**
 * Whether `signature` is the key's ECDSA signature over SHA-256 of `message`. Only 64 bytes of compact r‖s with a low
 * s can be; all else (DER, high s, another length) is false. Never throws.
 * @see https://atproto.com/specs/cryptography#ecdsa-signature-malleability
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return key.verify(message, signature)
}
