/** A frame of an event stream that cannot be read. The specification asks to drop the connection that sent it. */
export class FrameError extends Error {
  readonly code: 'FrameTooLarge' | 'InvalidFrame'

  constructor(code: FrameError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'FrameError'
    this.code = code
  }
}
