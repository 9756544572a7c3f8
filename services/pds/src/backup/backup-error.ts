export type BackupErrorCode =
  /** Nothing that we wrote lies at the address. */
  | 'NotARepository'
  /** A newer version of this program wrote it. */
  | 'TooNew'
  /** Passphrase or key file are not those of the repository, or it wants another kind of key. */
  | 'WrongKey'
  /** An object is not what was put there: changed, cut off, or another one. */
  | 'Damaged'
  /** An object that a backup names is not there. */
  | 'Missing'
  /** Somebody else is at work, and the two must not meet. */
  | 'Busy'
  /** We were away for so long that others may have taken us for dead. */
  | 'LeaseLost'
  /** There is no backup, or none as old as that. */
  | 'NoBackup'
  /** The folder to restore into holds something else. */
  | 'TargetNotEmpty'
  /** The clock is behind the backup: numbers and revisions made by it would be refused. */
  | 'ClockBehind'
  /** The data directory is not one. */
  | 'NoDatabase'

/** A backup or restore cannot be done. The message names the thing and the fix. */
export class BackupError extends Error {
  readonly code: BackupErrorCode
  /** The object that it is about. */
  readonly key: string | undefined

  constructor(code: BackupErrorCode, message: string, options: ErrorOptions & { key?: string } = {}) {
    super(message, options)
    this.name = 'BackupError'
    this.code = code
    this.key = options.key
  }
}
