export type LogErrorCode =
  /** The log was closed. */
  | 'Closed'
  /** Bytes that were durable are damaged: restore a backup. */
  | 'Corrupt'
  /** An earlier write failed, so the log takes no more: open it again, once the disk is well. */
  | 'Failed'
  /** A key or a number that the log cannot hold. */
  | 'InvalidEntry'
  /** Another process has the log open. */
  | 'Locked'
  /** A call that needs the owner's transaction came outside of one, or the other way round. */
  | 'Transaction'

/** The log could not do what was asked. The message names the log, what happened and the way out. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type CursorErrorCode = 'FutureCursor' | 'OutdatedCursor'

/**
 * A reader's cursor does not fit the log. `code` is the error's name on the wire.
 * @see https://atproto.com/specs/event-stream#sequence-numbers
 */
export class CursorError extends Error {
  override readonly name = 'CursorError'
  readonly code: CursorErrorCode

  constructor(code: CursorErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
