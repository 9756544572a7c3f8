import { CURVES, type Curve } from './lib/curves.ts'

/**
 * The library that each curve runs on here: `libsecp256k1`, `OpenSSL` or `@noble/curves`. For start-up logs and
 * diagnoses: a server whose K-256 runs on the last one verifies a thirtieth of the signatures.
 */
export const CRYPTO_LIBRARIES: Readonly<Record<Curve, string>> = {
  p256: CURVES.p256.backend.library,
  k256: CURVES.k256.backend.library,
}
