import { InvalidArgumentError } from 'commander'
import { BACKUP_ADDRESS, BACKUP_ADDRESS_HELP } from './backup-address.ts'
import { addBackupSecretOptions, type BackupSecretOptions } from './backup-secret.ts'
import type { AddSubCommand } from './sub-command.ts'

export interface RestoreCommandOptions extends BackupSecretOptions {
  readonly from: string
  readonly to: string
  readonly at?: string
  readonly intoBucket?: boolean
  readonly force?: boolean
  readonly keepSessions?: boolean
  readonly endAppPasswords?: boolean
  readonly sequence?: number
  /** False with `--no-verify`. */
  readonly verify: boolean
  readonly json?: boolean
}

/** `imago pds restore` */
export const addPdsRestore: AddSubCommand = (parent, onExit) => {
  const restore = parent
    .command('restore')
    .description('make a data directory of a backup; run again, it goes on where it was broken off')
    .requiredOption('--from <place>', BACKUP_ADDRESS)
    .requiredOption('--to <dir>', 'the data directory to make: empty, or new')
  addBackupSecretOptions(restore)
    .option('--at <time>', 'the newest backup that is no younger (2026-11-21T04:00Z), or its name')
    .option(
      '--into-bucket',
      'put blobs into the bucket of the environment (PDS_BLOBSTORE_S3_*), those that are not there',
    )
    .option('--force', 'take a directory that is not empty; a database in it is put aside')
    .option('--keep-sessions', 'leave people signed in, also those who signed out after the backup')
    .option('--end-app-passwords', 'forget app passwords, since those taken back after the backup return')
    .option('--sequence <n>', 'number events from beyond n (default: beyond any since the backup)', whole)
    .option('--no-verify', 'do not check the restored data')
    .option('--json', 'the result as JSON')
    .addHelpText('after', BACKUP_ADDRESS_HELP)
    .addHelpText(
      'after',
      '\nExit codes: 0 restored, and all of it is right; 1 not restored, or something is wrong with it; 2 wrong command line, key or directory: nothing was done.',
    )
    .action(async (options: RestoreCommandOptions) => {
      const { runRestore } = await import('./pds-restore-run.ts')
      onExit(await runRestore(options))
    })
}

function whole(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number.')
  return value
}
