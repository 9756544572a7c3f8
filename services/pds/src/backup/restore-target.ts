import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LOCK_FILES, lockDataDirectory } from '../database/data-directory-lock.ts'
import { DATABASE_FILE } from '../database/database.ts'
import { BackupError } from './backup-error.ts'
import { syncFolder, writeDurably } from './durable-files.ts'

/** Says that a restore is under way, and of which backup. */
const MARK_FILE = 'restore.json'
const OWNER_ONLY = 0o700
/** What a restore leaves that was killed before it had begun. */
const LEFTOVERS: ReadonlySet<string> = new Set([...LOCK_FILES, 'lock-journal', `${MARK_FILE}.new`])

/** A folder that a restore has to itself: no server can start on it until it is disposed of. */
export interface RestoreTarget extends Disposable {
  /** Where the database that was in the way has been put. */
  readonly putAside: string | undefined
  /** Takes the mark away: the folder is a server's now. */
  finish(): Promise<void>
}

/**
 * Makes a folder ours for the restore of one backup: an empty one, one in which the same restore was broken off, or with
 * `force` any other. What lies there under the database's name is put aside, not removed.
 * @throws {BackupError} `TargetNotEmpty`
 * @throws {DataDirectoryInUseError} when a server runs on it.
 */
export async function claimTarget(
  target: string,
  backup: string,
  { force, now }: { force: boolean; now: () => number },
): Promise<RestoreTarget> {
  await mkdir(target, { recursive: true, mode: OWNER_ONLY })
  await assertFree(target, backup, force)
  using resources = new DisposableStack()
  resources.use(lockDataDirectory(target))
  const putAside = await putDatabaseAside(target, now())
  const markFile = join(target, MARK_FILE)
  await writeDurably(markFile, [new TextEncoder().encode(markOf(backup))])
  const claimed = resources.move()
  return {
    putAside,
    async finish() {
      await rm(markFile)
      await syncFolder(target)
    },
    [Symbol.dispose]: () => claimed.dispose(),
  }
}

const markOf = (backup: string) => `${JSON.stringify({ restoring: backup })}\n`

async function assertFree(target: string, backup: string, force: boolean): Promise<void> {
  const names = (await readdir(target)).filter((name) => !LEFTOVERS.has(name))
  if (names.length === 0 || force) return
  const isMarked = names.includes(MARK_FILE)
  if (isMarked && (await readFile(join(target, MARK_FILE), 'utf8')) === markOf(backup)) return
  throw new BackupError(
    'TargetNotEmpty',
    isMarked
      ? `${target} holds an unfinished restore of another backup: go on with that one, or name an empty folder, or add --force`
      : `${target} is not empty: name an empty or new folder, or add --force to put the database in it aside`,
  )
}

async function putDatabaseAside(target: string, at: number): Promise<string | undefined> {
  const file = join(target, DATABASE_FILE)
  if (!existsSync(file)) return undefined
  const aside = `${file}.before-${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}`
  // The log belongs to the file: beside another one it would spoil that.
  for (const suffix of ['-wal', '-shm', ''])
    if (existsSync(`${file}${suffix}`)) await rename(`${file}${suffix}`, `${aside}${suffix}`)
  await syncFolder(target)
  return aside
}
