/** What was wrong with a key, for programs. */
export type KeyErrorCode =
  /** Text or bytes that are not a compressed point of the curve they name. */
  | 'InvalidKey'
  /** A well-formed key of a kind that atproto does not use, such as Ed25519. */
  | 'UnsupportedKeyType'
  /** Bytes that are not a secret key. */
  | 'InvalidSecret'

/** A key is not one that atproto can use. The message names a public key, and never a secret one. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
  readonly code: KeyErrorCode

  constructor(code: KeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
