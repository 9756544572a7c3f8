/** What was wrong, for programs: one word per kind of input, and one for every bound. */
export type DataErrorCode =
  /** Bytes that are not canonical DRISL-CBOR. */
  | 'InvalidCbor'
  /** Bytes or text that are not a CID of the kind that atproto uses. */
  | 'InvalidCid'
  /** Bytes that are not a CAR v1 file, or a block that is not what its CID says. */
  | 'InvalidCar'
  /** JSON that has no data-model form. */
  | 'InvalidJson'
  /** A JavaScript value that the data model cannot hold. */
  | 'InvalidValue'
  /** Text that is not in the base it should be in, or a varint that is not minimal. */
  | 'InvalidMultibase'
  /** Input that may be well-formed, but exceeds a bound that the caller set. */
  | 'LimitExceeded'

/** Something from outside is not what the data model allows. The message says what, and where. */
export class DataError extends Error {
  override readonly name = 'DataError'
  readonly code: DataErrorCode

  constructor(code: DataErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
