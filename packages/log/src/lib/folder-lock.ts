import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LogError } from './errors.ts'

/**
 * Keeps other processes, and other logs of this one, out of a folder until disposed of. The lock is one that the
 * operating system lets go when the process dies, however it dies; SQLite holds it, since Node itself cannot.
 * @throws {LogError} `Locked`
 */
export function lockFolder(folder: string): Disposable {
  const db = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    throw new LogError(
      'Locked',
      `${folder} is in use by another process: stop it, or choose another folder`,
      { cause },
    )
  }
  return { [Symbol.dispose]: () => db.close() }
}
