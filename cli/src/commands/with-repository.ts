import { randomBytes } from 'node:crypto'
import { ObjectStoreError } from '@imago/object-store'
import {
  BackupError,
  type BackupErrorCode,
  type BackupRepository,
  openBackupRepository,
  openOrCreateBackupRepository,
} from '@imago/pds/backup'
import { CliError, EXIT } from '../cli-error.ts'
import { openBackupStore } from './backup-address.ts'
import { isAlive, thisHolder } from './backup-holder.ts'
import { type BackupSecretOptions, backupSecretOf } from './backup-secret.ts'

const WRONG_COMMAND: ReadonlySet<BackupErrorCode> = new Set([
  'NotARepository',
  'TooNew',
  'WrongKey',
  'NoBackup',
  'TargetNotEmpty',
  'ClockBehind',
  'NoDatabase',
])

/**
 * Opens the repository at an address for as long as `work` takes.
 * @param mode `write` makes one where there is none.
 * @throws {CliError} for all that a user can mend.
 */
export async function withRepository<Result>(
  address: string,
  options: BackupSecretOptions,
  mode: 'read' | 'write',
  work: (repository: BackupRepository) => Promise<Result>,
): Promise<Result> {
  const secret = backupSecretOf(options)
  const store = await openBackupStore(address, { mustExist: mode === 'read' })
  try {
    const open = mode === 'read' ? openBackupRepository : openOrCreateBackupRepository
    const repository = await open({
      store,
      secret,
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      now: Date.now,
      holder: thisHolder(),
      isAlive,
    })
    return await work(repository)
  } catch (error) {
    throw cliErrorOf(error)
  } finally {
    store[Symbol.dispose]?.()
  }
}

/** What a user can mend, as one sentence; anything else as it is. */
export function cliErrorOf(error: unknown): unknown {
  if (error instanceof BackupError)
    return new CliError(WRONG_COMMAND.has(error.code) ? EXIT.usage : EXIT.failed, error.message, {
      cause: error,
    })
  return isOfTheOutside(error) ? new CliError(EXIT.failed, (error as Error).message, { cause: error }) : error
}

/** A disk that is full, a server that is gone, a directory in use: what nobody can mend in the program. */
function isOfTheOutside(error: unknown): boolean {
  return (
    error instanceof ObjectStoreError ||
    (error instanceof Error &&
      (error.name === 'DataDirectoryInUseError' || 'syscall' in error || 'errcode' in error))
  )
}
