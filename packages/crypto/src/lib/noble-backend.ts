import type { ECDSA } from '@noble/curves/abstract/weierstrass.js'
import type { CurveBackend } from './curve-backend.ts'

// Low-S is checked and made outside, once for all backends.
const OPTIONS = { prehash: true, lowS: false, format: 'compact' } as const

/** A curve of @noble/curves: plain JavaScript that runs anywhere, with nonces of RFC 6979. */
export function nobleBackend(curve: ECDSA): CurveBackend {
  return {
    library: '@noble/curves',
    openPublicKey(compressed) {
      // Kept uncompressed, because decompression takes a twentieth of a verification (measured).
      const point = curve.Point.fromBytes(compressed).toBytes(false)
      return (message, signature) => curve.verify(signature, message, point, OPTIONS)
    },
    openSecretKey(secret) {
      const own = secret.slice()
      return {
        point: curve.getPublicKey(own, true),
        sign: (message) => curve.sign(message, own, OPTIONS),
      }
    },
  }
}
