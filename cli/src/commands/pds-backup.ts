import { type Command, InvalidArgumentError } from 'commander'
import { BACKUP_ADDRESS, BACKUP_ADDRESS_HELP } from './backup-address.ts'
import { addBackupSecretOptions, type BackupSecretOptions } from './backup-secret.ts'
import { addPdsDataOptions, type PdsDataOptions } from './pds-data-options.ts'
import type { AddSubCommand } from './sub-command.ts'

export interface BackupOptions extends PdsDataOptions, BackupSecretOptions {
  readonly to: string
  readonly keep?: number
  /** With `--verify`, or `--no-verify`. */
  readonly verify?: boolean
  readonly temporary?: string
  readonly json?: boolean
}

export interface ListOptions extends BackupSecretOptions {
  readonly from: string
  readonly json?: boolean
}

/** `imago pds backup`, `imago pds backups` */
export const addPdsBackup: AddSubCommand = (parent, onExit) => {
  const backup = parent
    .command('backup')
    .description('back up a server, which may run, with the settings of its environment')
    .requiredOption('--to <place>', BACKUP_ADDRESS)
  addPdsDataOptions(addBackupSecretOptions(backup))
    .option('--keep <n>', 'remove backups beyond the newest n (default: keep all)', positive)
    .option('--verify', 'restore all of the new backup, not only what is new in it, and check it')
    .option('--no-verify', 'do not try the new backup at all')
    .option('--temporary <dir>', 'where --verify restores to (default: a folder of the system)')
    .option('--json', 'the result as JSON')
    .addHelpText('after', BACKUP_ADDRESS_HELP)
    .addHelpText(
      'after',
      '\nExit codes: 0 made, and restored for a test; 1 not made, or something is wrong with it; 2 wrong command line or settings.',
    )
    .action(async (options: BackupOptions) => {
      const { runBackup } = await import('./pds-backup-run.ts')
      onExit(await runBackup(options))
    })
  addList(parent).action(async (options: ListOptions) => {
    const { listBackups } = await import('./pds-backup-run.ts')
    onExit(await listBackups(options))
  })
}

function addList(parent: Command): Command {
  const list = parent
    .command('backups')
    .description('list the backups in a place')
    .requiredOption('--from <place>', BACKUP_ADDRESS)
  return addBackupSecretOptions(list)
    .option('--json', 'as JSON')
    .addHelpText('after', BACKUP_ADDRESS_HELP)
    .addHelpText('after', '\nExit codes: 0 listed; 1 one of them cannot be read; 2 wrong command line.')
}

function positive(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1) throw new InvalidArgumentError('Expected a whole number from 1, such as 30.')
  return value
}
