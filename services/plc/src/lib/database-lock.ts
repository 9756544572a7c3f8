import { DatabaseSync } from 'node:sqlite'

/** Another process works on the database. */
export class DatabaseInUseError extends Error {
  override readonly name = 'DatabaseInUseError'

  constructor(databaseFile: string) {
    super(
      `${databaseFile} is in use by another process: stop it first, or set PLC_DATABASE_FILE to another file`,
    )
  }
}

/**
 * Keeps a database to one directory until disposed of. What a directory remembers of it (documents, logs, the end of the
 * stream, the edge of the tree) counts on nobody else writing: SQLite alone would let two of them.
 *
 * SQLite holds the lock, on a file beside the database, since Node itself cannot; the operating system lets it go when the
 * process dies, however it dies.
 * @throws {DatabaseInUseError}
 */
export function lockDatabase(databaseFile: string): Disposable {
  const lock = new DatabaseSync(`${databaseFile}.lock`, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw isBusy(error) ? new DatabaseInUseError(databaseFile) : error
  }
  return { [Symbol.dispose]: () => lock.isOpen && lock.close() }
}

const SQLITE_BUSY = 5

const isBusy = (error: unknown) => (error as { errcode?: number }).errcode === SQLITE_BUSY
