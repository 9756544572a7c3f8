/** What the `imago` command exits with. */
export const EXIT = {
  /** Done, or stopped in order. */
  ok: 0,
  /** Could not start, or could not stop in order. */
  failed: 1,
  /** The command line or a setting is wrong: nothing was started. */
  usage: 2,
  /** A port is in use: nothing was started. */
  portInUse: 3,
} as const

/** One of {@link EXIT}, or one that a command's help explains. */
export type ExitCode = number

/** Something that the user can mend. The message names the thing, its value and the fix, and is all that is shown. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
