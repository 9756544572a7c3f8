import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Who works on a data directory. */
export interface LockHolder {
  readonly pid: number
  /** Name of the machine: process ids say nothing across machines and containers. */
  readonly host: string
}

/** Another process, or another part of this one, works on the data directory. */
export class DataDirectoryInUseError extends Error {
  readonly folder: string
  /** `undefined` when it has not said so yet. */
  readonly holder: LockHolder | undefined

  constructor(folder: string, holder: LockHolder | undefined) {
    const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`
    super(`${folder} is in use by ${who}: stop it first, or choose another data directory`)
    this.name = 'DataDirectoryInUseError'
    this.folder = folder
    this.holder = holder
  }
}

const LOCK_FILE = 'lock'
const HOLDER_FILE = 'lock.json'

/** Files of a data directory that are about the process that uses it, and belong in no backup. */
export const LOCK_FILES: readonly string[] = [LOCK_FILE, HOLDER_FILE]

/**
 * Keeps everyone else who writes out of a data directory until disposed of. The lock is one that the operating system
 * lets go when the process dies, however it dies: nothing has to be cleaned up after `kill -9`. SQLite holds it, since
 * Node itself cannot.
 *
 * Who holds it lies in a file of its own. The lock file must never be opened by other means in the process that holds
 * it: on POSIX systems closing any handle on a file lets all locks on it go.
 * @throws {DataDirectoryInUseError}
 */
export function lockDataDirectory(folder: string): Disposable {
  const holderFile = join(folder, HOLDER_FILE)
  const lock = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    writeFileSync(holderFile, JSON.stringify({ pid: process.pid, host: hostname() } satisfies LockHolder))
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new DataDirectoryInUseError(folder, readHolder(holderFile))
  }
  return { [Symbol.dispose]: () => lock.isOpen && lock.close() }
}

const SQLITE_BUSY = 5

const isBusy = (error: unknown) => (error as { errcode?: number }).errcode === SQLITE_BUSY

function readHolder(file: string): LockHolder | undefined {
  try {
    const { pid, host } = JSON.parse(readFileSync(file, 'utf8')) as LockHolder
    return { pid, host }
  } catch {
    // Between the lock and the file that names its holder lies a moment.
    return undefined
  }
}
