import type { CurveFacts } from './curves.ts'
import { isAtMost, isBelow, isZero, SCALAR_BYTES, subtractFrom } from './scalar.ts'

const SIGNATURE_BYTES = 2 * SCALAR_BYTES

/**
 * Whether bytes are a signature in the one form that atproto knows: r‖s of 32 bytes each, both in range, and s in the
 * lower half. For every signature (r, s) there is another one (r, n - s) by which anybody could change the hash of a
 * signed block; both OpenSSL and WebCrypto make and take either.
 */
export function isCanonicalSignature(signature: Uint8Array, { order, halfOrder }: CurveFacts): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    isBelow(signature, 0, order) &&
    isAtMost(signature, SCALAR_BYTES, halfOrder) &&
    !isZero(signature, 0) &&
    !isZero(signature, SCALAR_BYTES)
  )
}

/** Turns a high s into the low one, in place. Answers the same array. */
export function lowerS(signature: Uint8Array, { order, halfOrder }: CurveFacts): Uint8Array {
  if (!isAtMost(signature, SCALAR_BYTES, halfOrder)) subtractFrom(order, signature, SCALAR_BYTES)
  return signature
}
