import { ed25519 as noble } from '@noble/curves/ed25519.js'
import type { SignatureBackend } from './signature-backend.ts'

export const ed25519: SignatureBackend = {
  openPublicKey(publicKey) {
    if (!noble.utils.isValidPublicKey(publicKey)) return undefined
    return (message, signature) => signature.length === 64 && noble.verify(signature, message, publicKey)
  },
  openSecretKey: (seed) => ({
    publicKey: noble.getPublicKey(seed),
    sign: (message) => noble.sign(message, seed),
  }),
}

/** Outside Node there is none: signatures of such keys are those of unknown keys. */
export const mlDsa44: SignatureBackend = {
  openPublicKey: () => undefined,
  openSecretKey() {
    throw new Error('ML-DSA-44 needs Node 24 or later')
  },
}
