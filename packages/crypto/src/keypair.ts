import { KeyError } from './key-error.ts'
import { lowerS } from './lib/compact-signature.ts'
import { CURVES, type Curve } from './lib/curves.ts'
import { isBelow, isZero, SCALAR_BYTES } from './lib/scalar.ts'
import { type DidKey, PublicKey } from './public-key.ts'

/** A secret key together with its public one. */
export interface Keypair {
  readonly curve: Curve
  readonly publicKey: PublicKey
  readonly didKey: DidKey
  /**
   * Signs SHA-256 of a message with ECDSA.
   * @returns 64 bytes of compact r‖s with a low s. Whether the same message gets the same signature again depends on
   * the library: libsecp256k1 and @noble/curves follow RFC 6979, OpenSSL draws nonces at random.
   */
  sign(message: Uint8Array): Uint8Array
  /** A copy of the secret key: 32 bytes, big-endian. */
  exportSecret(): Uint8Array
}

/** A new key from the platform's random numbers. */
export function generateKeypair(curve: Curve): Keypair {
  const secret = new Uint8Array(SCALAR_BYTES)
  do crypto.getRandomValues(secret)
  while (!isSecret(curve, secret))
  return openKeypair(curve, secret)
}

/**
 * The key pair of a secret key.
 * @param secret 32 bytes, big-endian. They are copied.
 * @throws {KeyError} InvalidSecret when they are not a number from 1 to the curve's order less one.
 */
export function importKeypair(curve: Curve, secret: Uint8Array): Keypair {
  if (!isSecret(curve, secret))
    throw new KeyError(
      'InvalidSecret',
      `a ${curve} secret key is a number of ${SCALAR_BYTES} bytes, not zero and below the curve's order; got ${secret.length} bytes`,
    )
  return openKeypair(curve, secret.slice())
}

function openKeypair(curve: Curve, secret: Uint8Array): Keypair {
  const facts = CURVES[curve]
  const signer = facts.backend.openSecretKey(secret)
  const publicKey = new PublicKey(curve, signer.point)
  return {
    curve,
    publicKey,
    didKey: publicKey.didKey,
    sign: (message) => lowerS(signer.sign(message), facts),
    exportSecret: () => secret.slice(),
  }
}

function isSecret(curve: Curve, secret: Uint8Array): boolean {
  return secret.length === SCALAR_BYTES && !isZero(secret, 0) && isBelow(secret, 0, CURVES[curve].order)
}
