/** What was wrong, for programs. */
export type SyncErrorCode =
  /** A message whose body is not what its type asks for. */
  | 'InvalidEvent'
  /** Bytes that are not a frame: two DRISL values, the second one a map. */
  | 'InvalidFrame'

/** Something on an event stream is not what the stream's schema says. */
export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode

  constructor(code: SyncErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
