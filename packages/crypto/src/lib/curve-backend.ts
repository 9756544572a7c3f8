/** Verifies under one public key that is already in the backend's own form. False, never a throw, for a bad signature. */
export type Verify = (message: Uint8Array, signature: Uint8Array) => boolean

/** A secret key in the backend's own form. */
export interface Signer {
  /** The public key: a compressed point, 33 bytes. */
  readonly point: Uint8Array
  /** ECDSA over SHA-256 of the message as compact r‖s, 64 bytes. The caller sees to low-S. */
  sign(message: Uint8Array): Uint8Array
}

/**
 * One curve, as some library offers it. Backends see only what is of the right length and range, and hash messages
 * themselves, because OpenSSL hashes and verifies in one call.
 */
export interface CurveBackend {
  /** The library behind it, for logs and diagnoses. */
  readonly library: string
  /**
   * Decompresses a point once, for many verifications.
   * @param point 33 bytes, the first one 2 or 3.
   * @throws when there is no such point on the curve.
   */
  openPublicKey(point: Uint8Array): Verify
  /** @param secret 32 bytes, a number from 1 to the curve's order less one. The backend keeps no reference to it. */
  openSecretKey(secret: Uint8Array): Signer
}
