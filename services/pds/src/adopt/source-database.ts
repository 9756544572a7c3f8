import { constants, copyFileSync, existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { makeDataDirectory } from '../database/data-directory.ts'

/** A database of the reference, which is only read. */
export interface SourceDatabase extends Disposable {
  readonly sqlite: DatabaseSync
}

/**
 * Opens a database that must not change, nor what lies beside it. One that was closed in order is read where it is. One
 * with a log or journal left by a crash has to be recovered before it can be read, which SQLite does to a copy.
 * @param scratch folder for the copy; made if absent, and empty again after disposal.
 * @throws {Error} when SQLite cannot read it.
 */
export function openSourceDatabase(path: string, scratch: string): SourceDatabase {
  if (!['-wal', '-journal'].some((suffix) => sizeOf(`${path}${suffix}`) > 0)) {
    const url = pathToFileURL(path)
    // Immutable: SQLite neither locks it nor makes files beside it.
    url.search = '?mode=ro&immutable=1'
    const sqlite = new DatabaseSync(url, { readOnly: true })
    return { sqlite, [Symbol.dispose]: () => sqlite.close() }
  }
  const remove = () => rmSync(scratch, { recursive: true, force: true })
  remove()
  makeDataDirectory(scratch)
  const copy = join(scratch, 'copy.sqlite')
  try {
    for (const suffix of ['', '-wal', '-journal'])
      if (existsSync(`${path}${suffix}`))
        copyFileSync(`${path}${suffix}`, `${copy}${suffix}`, constants.COPYFILE_FICLONE)
    const sqlite = new DatabaseSync(copy)
    return {
      sqlite,
      [Symbol.dispose]() {
        sqlite.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Size and time of last change of a database and its log: whether it was written to meanwhile. */
export function fingerprint(path: string): string {
  return ['', '-wal']
    .map((suffix) => statSync(`${path}${suffix}`, { throwIfNoEntry: false }))
    .map((stats) => (stats === undefined || stats.size === 0 ? '-' : `${stats.size}@${stats.mtimeMs}`))
    .join(' ')
}
