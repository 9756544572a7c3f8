import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import { DataDirectoryInUseError, lockDataDirectory } from '../database/data-directory-lock.ts'
import { DATABASE_FILE } from '../database/database.ts'
import { BackupError } from './backup-error.ts'

const TEMPORARY_FOLDER = 'backup.tmp'
const OWNER_ONLY = 0o700

const PAGES_PER_STEP = 256
/**
 * How often what was copied is flushed. All at once at the end, a writer on the same disk waited 130 ms for an fsync of
 * its own; with 4 MiB at a time, 6 ms (360 MB, writes one after the other).
 */
const STEPS_PER_FLUSH = 4

/** A blob as the database names it. */
export interface BlobName {
  readonly did: Did
  readonly cid: Cid
  /** Bytes. */
  readonly size: number
}

export interface DatabaseFacts {
  /** Bytes of the file. */
  readonly bytes: number
  readonly accounts: number
  /** Number of the last event. */
  readonly sequence: number
}

/** A folder of our own beside the database: what is copied into it holds keys, and should not leave the disk. */
export interface SnapshotFolder extends Disposable {
  readonly folder: string
  readonly file: string
  /** Where a test restore goes. */
  readonly restored: string
}

/**
 * The place for copies of a data directory's database. What a killed run left in it is removed.
 * @throws {BackupError} `NoDatabase`; `Busy` while another process makes a backup of the same directory.
 */
export function openSnapshotFolder(dataDirectory: string): SnapshotFolder {
  assertDataDirectory(dataDirectory)
  const folder = join(dataDirectory, TEMPORARY_FOLDER)
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY })
  const lock = lockSnapshotFolder(folder)
  const file = join(folder, 'snapshot.sqlite')
  const restored = join(folder, 'restored.sqlite')
  const clear = () => {
    removeDatabase(file)
    removeDatabase(restored)
  }
  clear()
  return {
    folder,
    file,
    restored,
    [Symbol.dispose]() {
      clear()
      lock[Symbol.dispose]()
    },
  }
}

/** @throws {BackupError} `NoDatabase` */
export function assertDataDirectory(dataDirectory: string): void {
  if (existsSync(join(dataDirectory, DATABASE_FILE))) return
  throw new BackupError(
    'NoDatabase',
    `there is no ${DATABASE_FILE} in ${dataDirectory}: set PDS_DATA_DIRECTORY to the folder that the server uses`,
  )
}

function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true })
}

function lockSnapshotFolder(folder: string): Disposable {
  try {
    return lockDataDirectory(folder)
  } catch (cause) {
    if (!(cause instanceof DataDirectoryInUseError)) throw cause
    throw new BackupError('Busy', `another backup of the same server is being made: ${cause.message}`, {
      cause,
    })
  }
}

/**
 * Copies the database as it is at this moment, page by page, while another process writes to it: one read transaction,
 * which no writer waits for. Same page, same place: what did not change since the last copy is the same bytes.
 */
export async function copyDatabase(dataDirectory: string, target: string): Promise<void> {
  using source = new DatabaseSync(join(dataDirectory, DATABASE_FILE), { readOnly: true })
  // Without a transaction around it, the copy would begin anew whenever somebody writes.
  source.exec('BEGIN; SELECT count(*) FROM config')
  removeDatabase(target)
  let steps = 0
  let copy: number | undefined
  try {
    await backup(source, target, {
      rate: PAGES_PER_STEP,
      progress() {
        if (++steps % STEPS_PER_FLUSH !== 0) return
        copy ??= openSync(target, 'r+')
        // Waits on purpose: what is copied meanwhile would be flushed all at once at the end.
        fdatasyncSync(copy)
      },
    })
  } finally {
    if (copy !== undefined) closeSync(copy)
  }
}

/** What a copy says about itself. */
export function factsOf(file: string): DatabaseFacts {
  using copy = new DatabaseSync(file, { readOnly: true })
  const { bytes } = copy
    .prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()')
    .get() as { bytes: number }
  const { accounts } = copy.prepare('SELECT count(*) AS accounts FROM account').get() as { accounts: number }
  const { head } = copy.prepare('SELECT head FROM event_state').get() as { head: number }
  return { bytes, accounts, sequence: head }
}

const BLOB_PAGE = 1000

/** Every blob of a database, page by page: each page is a transaction of its own. */
export function* blobsOf(file: string): Generator<BlobName> {
  using database = new DatabaseSync(file, { readOnly: true })
  const page = database.prepare(
    `SELECT blob.repo, repo.did, blob.cid, blob.size FROM blob JOIN repo ON repo.id = blob.repo
      WHERE (blob.repo, blob.cid) > (?, ?) ORDER BY blob.repo, blob.cid LIMIT ${BLOB_PAGE}`,
  )
  let after: [repo: number, cid: Uint8Array] = [0, new Uint8Array(0)]
  for (;;) {
    const rows = page.all(...after) as { repo: number; did: Did; cid: Uint8Array; size: number }[]
    for (const { did, cid, size } of rows) yield { did, cid: new Cid(cid), size }
    const last = rows.at(-1)
    if (last === undefined || rows.length < BLOB_PAGE) return
    after = [last.repo, last.cid]
  }
}

/** Whether the server still has a row for a blob. */
export function hasBlobRow(dataDirectory: string, { did, cid }: BlobName): boolean {
  using database = new DatabaseSync(join(dataDirectory, DATABASE_FILE), { readOnly: true })
  const row = database.prepare(
    'SELECT 1 FROM blob JOIN repo ON repo.id = blob.repo WHERE repo.did = ? AND blob.cid = ?',
  )
  return row.get(did, cid.bytes) !== undefined
}
