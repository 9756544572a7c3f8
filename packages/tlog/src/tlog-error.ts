/** What was wrong, for programs. */
export type TlogErrorCode =
  /** Text that is not a signed note, or a signature of a known key in it that does not fit. */
  | 'InvalidNote'
  /** A note whose text is not a checkpoint. */
  | 'InvalidCheckpoint'
  /** Not a verifier key, or a secret key of the wrong length. */
  | 'InvalidKey'
  /** A proof that does not lead from what it starts with to the root. */
  | 'InvalidProof'
  /** A tile or an entry bundle that has not the length of its place, or a path that names none. */
  | 'InvalidTile'
  /** Text that is not a trust policy. */
  | 'InvalidPolicy'
  /** A checkpoint that lacks signatures which the policy demands. */
  | 'NotTrusted'

/** Something of a transparency log is not what it should be. The message says what, and where. */
export class TlogError extends Error {
  override readonly name = 'TlogError'
  readonly code: TlogErrorCode

  constructor(code: TlogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
