import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openBlobStore } from '../blobs/blob-store.ts'
import { DATABASE_FILE } from '../database/database.ts'
import { sequenceAfterRestore } from '../events/sequence.ts'
import { BackupError } from './backup-error.ts'
import { type BackupEntry, type BackupRepository, CHUNKS } from './backup-repository.ts'
import { type BlobObjects, BlobUnreadableError, blobObjectKey, checked } from './blob-source.ts'
import { writeAt } from './chunked-file.ts'
import { environmentFile } from './configuration.ts'
import type { BackupProgress } from './create-backup.ts'
import { type BlobName, blobsOf } from './database-snapshot.ts'
import { syncFolder, writeDurably } from './durable-files.ts'
import { inParallel } from './in-parallel.ts'
import type { Manifest } from './manifest.ts'
import { readLists } from './name-lists.ts'
import { claimTarget } from './restore-target.ts'
import { prepareDatabase } from './restored-database.ts'
import { damaged } from './sealed-object.ts'

const ENVIRONMENT_FILE = 'pds.env'
const BLOBS_FOLDER = 'blobs'
const PART_SUFFIX = '.restoring'
const OWNER_ONLY_FILE = 0o600
const WIDTH = 4

export interface RestoreOptions {
  readonly repository: BackupRepository
  /** Key of the backup. */
  readonly backup: string
  /** The data directory to make. */
  readonly target: string
  /** Where blobs go, beside the database. Default: `blobs` in the target. */
  readonly blobs?: BlobObjects
  /** Take a folder that is not empty: a database in it is put aside, not removed. Default false. */
  readonly force?: boolean
  /** Leave people signed in. Default false: sign-outs after the backup would be undone. */
  readonly keepSessions?: boolean
  /** Forget app passwords: those that were taken back after the backup would open accounts again. Default false. */
  readonly endAppPasswords?: boolean
  /** Numbers go on after this one at least; default what {@link sequenceAfterRestore} says. */
  readonly sequence?: number
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly onProgress?: (progress: BackupProgress) => void
}

export interface RestoreReport {
  readonly manifest: Manifest
  readonly accounts: number
  /** Events go on after this number. */
  readonly sequence: number
  readonly endedSessions: number
  /** App passwords that open accounts again, also those that were taken back after the backup. */
  readonly appPasswords: number
  /** Accounts that wait for their deletion, and were given more time. */
  readonly postponedDeletions: number
  /** Blobs that the database names and the backup does not have. */
  readonly missingBlobs: readonly { readonly did: string; readonly cid: string }[]
  /** Chunks and blobs that were fetched; others were there from a run that was broken off. */
  readonly fetched: number
  /** The environment of the server. */
  readonly environmentFile: string
  readonly keepYourself: readonly string[]
  /** Where the database that was in the way has been put. */
  readonly putAside: string | undefined
}

/**
 * Makes a data directory of a backup. The database appears under its name last, when all is there; one that was broken
 * off goes on where it stopped, told by the contents of what is there.
 *
 * @throws {BackupError} `TargetNotEmpty`, `ClockBehind`; `Missing` and `Damaged`, naming the object
 * @throws {DataDirectoryInUseError} when a server runs on the target.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const { repository, backup, target, force = false, now, onProgress } = options
  const { keepSessions = false, endAppPasswords = false } = options
  const manifest = await repository.readManifest(backup)
  if (now() < manifest.createdAt)
    throw new BackupError(
      'ClockBehind',
      `the clock says ${new Date(now()).toISOString()}, and the backup was made at ${new Date(manifest.createdAt).toISOString()}: set the clock, or what the restored server says will be refused as old`,
    )
  const environment = JSON.parse(
    new TextDecoder().decode(await repository.getChunk(manifest.configuration)),
  ) as Record<string, string>

  using claimed = await claimTarget(target, backup, { force, now })
  let fetched = 0
  let done = 0
  const step = (wasFetched: boolean) => {
    if (wasFetched) fetched++
    onProgress?.({ part: 'restore', done: ++done, total: undefined })
  }
  const part = join(target, `${DATABASE_FILE}${PART_SUFFIX}`)
  await restoreDatabase(repository, manifest, part, step)

  await using ownBlobs = await openBlobStore({ blobsDirectory: join(target, BLOBS_FOLDER) })
  const { blobs = ownBlobs } = options
  const lost = new Set(manifest.missingBlobs.map(({ cid }) => cid))
  const missingBlobs: { did: string; cid: string }[] = []
  await inParallel(blobsOf(part), WIDTH, async (name) => {
    const cid = name.cid.toString()
    if (lost.has(cid)) missingBlobs.push({ did: name.did, cid })
    else step(await restoreBlob(repository, blobs, name))
  })

  const prepared = prepareDatabase(part, {
    sequence: options.sequence ?? sequenceAfterRestore(manifest.sequence, manifest.createdAt, now()),
    keepSessions,
    endAppPasswords,
    backupAt: manifest.createdAt,
    now: now(),
  })
  const environmentPath = join(target, ENVIRONMENT_FILE)
  await writeDurably(environmentPath, [new TextEncoder().encode(environmentFile(environment))])
  await removeLogs(part)
  await rename(part, join(target, DATABASE_FILE))
  await syncFolder(target)
  await claimed.finish()
  return {
    manifest,
    ...prepared,
    missingBlobs,
    fetched,
    environmentFile: environmentPath,
    keepYourself: manifest.keepYourself,
    putAside: claimed.putAside,
  }
}

/** Fetches the chunks that are not in the file yet. */
async function restoreDatabase(
  repository: BackupRepository,
  { database }: Manifest,
  path: string,
  step: (wasFetched: boolean) => void,
): Promise<void> {
  await removeLogs(path)
  await using file = await openOrCreate(path)
  let index = 0
  async function* chunks() {
    for await (const key of readLists(repository, database.lists, CHUNKS))
      yield { key, start: index++ * database.chunkBytes }
  }
  await inParallel(chunks(), WIDTH, async ({ key, start }) => {
    const length = Math.min(database.chunkBytes, database.bytes - start)
    const there = new Uint8Array(length)
    const { bytesRead } = await file.read(there, 0, length, start)
    const isThere = bytesRead === length && repository.chunkKey(there) === key
    if (!isThere) {
      const content = await repository.getChunk(key)
      if (content.length !== length) throw damaged(key)
      await writeAt(file, content, start)
    }
    step(!isThere)
  })
  if (index * database.chunkBytes < database.bytes)
    throw new BackupError(
      'Damaged',
      `the backup names ${index} chunks, which are not ${database.bytes} bytes`,
    )
  await file.truncate(database.bytes)
  await file.sync()
}

/** A log that a broken-off run left belongs to a file that will have changed. */
async function removeLogs(path: string): Promise<void> {
  for (const suffix of ['-wal', '-shm', '-journal']) await rm(`${path}${suffix}`, { force: true })
}

async function openOrCreate(path: string): Promise<FileHandle> {
  // Neither cuts off what is there nor fails when nothing is.
  await (await open(path, 'a', OWNER_ONLY_FILE)).close()
  return open(path, 'r+')
}

/** Returns whether it had to be fetched. Objects appear whole, so that one of the right size is the right one. */
async function restoreBlob(
  repository: BackupRepository,
  blobs: BlobObjects,
  { did, cid, size }: BlobName,
): Promise<boolean> {
  const place = blobObjectKey(blobs, did, cid)
  if ((await blobs.objects.head(place))?.size === size) return false
  const key = repository.blobKey(cid)
  try {
    await blobs.objects.put(place, checked(await repository.getBlob(key), cid))
  } catch (error) {
    throw error instanceof BlobUnreadableError ? damaged(key, error) : error
  }
  return true
}

/**
 * The backup to restore.
 * @param at a time in milliseconds, for the newest that is no younger; or the key of a backup, or its last part.
 * Default: the newest.
 * @throws {BackupError} `NoBackup`
 */
export async function findBackup(repository: BackupRepository, at?: number | string): Promise<BackupEntry> {
  const backups = await repository.backups()
  const found = backups.findLast(({ key, createdAt }) =>
    typeof at === 'string'
      ? key === at || key === `backups/${at}`
      : createdAt <= (at ?? Number.POSITIVE_INFINITY),
  )
  if (found !== undefined) return found
  const oldest = backups[0]
  throw new BackupError(
    'NoBackup',
    oldest === undefined
      ? 'there is no backup in the repository'
      : `there is no backup ${typeof at === 'string' ? at : `as old as ${new Date(at!).toISOString()}`}: the oldest is ${oldest.key}`,
  )
}
