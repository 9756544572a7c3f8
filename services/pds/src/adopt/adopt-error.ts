/** Why a data directory cannot be taken over, or handed back. */
export type AdoptErrorCode =
  /** There is no data directory of the reference PDS, or parts of it are missing. */
  | 'NotFound'
  /** A process still works on it. */
  | 'InUse'
  /** It was written by a version that is not known here. */
  | 'UnknownSchema'
  /** The environment file cannot be read, or does not fit. */
  | 'Environment'
  /** The data directory of ours holds other accounts. */
  | 'NotEmpty'
  /** Something changed it in the meantime. */
  | 'Changed'
  /** There is nothing to hand back, or not here. */
  | 'NotAdopted'

/** Nothing was done. The message names the thing, its value and the fix. */
export class AdoptError extends Error {
  readonly code: AdoptErrorCode

  constructor(code: AdoptErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AdoptError'
    this.code = code
  }
}

/** One account that is not whole. It is left out, and the others go on. */
export class CorruptAccountError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CorruptAccountError'
  }
}
