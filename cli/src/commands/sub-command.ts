import type { Command } from 'commander'
import type { ExitCode } from '../cli-error.ts'

/**
 * Adds one sub-command to its parent: name, options and help. What the command runs it must import only when it is
 * called, so that `imago --help` stays quick.
 * @param onExit told what the process should exit with, where that is not 0. To complain, throw a CliError.
 */
export type AddSubCommand = (parent: Command, onExit: (code: ExitCode) => void) => void
