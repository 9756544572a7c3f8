import type { DidPlc } from '@imago/identity/plc'
import { addDirectoryOptions, type DirectoryOptions, didPlcArgument } from '../plc/plc-options.ts'
import type { AddSubCommand } from './sub-command.ts'

export interface PlcWithdrawOptions extends DirectoryOptions {
  readonly reason: string
  readonly secretFile: string
  readonly yes?: boolean
}

const EXIT_CODES =
  '\nExit codes: 0 done; 1 the directory refused or did not answer; 2 wrong command line, secret or answer, or the operation is valid.'

/** `imago plc withdraw` */
export const addPlcWithdraw: AddSubCommand = (parent) => {
  addDirectoryOptions(parent.command('withdraw'))
    .description(
      'for operators: withdraw an operation that never should have been taken, by a notice in the log',
    )
    .argument('<did>', '', didPlcArgument)
    .argument('<cid>', 'the first operation that may not stand; what rests on it goes with it')
    .requiredOption('--reason <text>', 'why, in one line: everyone can read it, for ever')
    .requiredOption(
      '--secret-file <file>',
      'file with the secret of PLC_ADMIN_SECRET_FILE; - for standard input',
    )
    .option('--yes', 'do not ask')
    .addHelpText('after', EXIT_CODES)
    .action(async (did: DidPlc, cid: string, options: PlcWithdrawOptions) => {
      const { withdraw } = await import('./plc-withdraw-run.ts')
      await withdraw(did, cid, options)
    })
}
