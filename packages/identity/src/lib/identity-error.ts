/**
 * Why an identity could not be had:
 * - `DidNotFound` nobody has registered it, its method is not one of ours, or its host has no document;
 * - `DidDeactivated` it ended with a tombstone;
 * - `HandleNotFound` the handle names no DID, or more than one;
 * - `InvalidDocument` what was answered is not a document of this DID;
 * - `Refused` we do not go there: an address, scheme, port or redirect that policy forbids;
 * - `TooLarge` an answer beyond its bound;
 * - `Unavailable` no answer, or an error, from who should know. Says nothing about the identity: try again later.
 */
export type IdentityErrorCode =
  | 'DidNotFound'
  | 'DidDeactivated'
  | 'HandleNotFound'
  | 'InvalidDocument'
  | 'Refused'
  | 'TooLarge'
  | 'Unavailable'

/** An identity could not be resolved; `cause` holds what lies beneath. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: IdentityErrorCode

  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** Whether the answer is about the identity itself, rather than about our way to it. */
  get isDefinitive(): boolean {
    return this.code === 'DidNotFound' || this.code === 'DidDeactivated' || this.code === 'HandleNotFound'
  }
}
