import { join } from 'node:path'
import { DATABASE_FILE } from '../database/database.ts'
import { BackupError } from './backup-error.ts'
import type { BackupEntry, BackupRepository } from './backup-repository.ts'
import { type BlobObjects, BlobUnreadableError, readBlob } from './blob-source.ts'
import { CHUNK_BYTES, openDisposable, readChunk } from './chunked-file.ts'
import type { Configuration } from './configuration.ts'
import {
  type BlobName,
  blobsOf,
  copyDatabase,
  factsOf,
  hasBlobRow,
  openSnapshotFolder,
  type SnapshotFolder,
} from './database-snapshot.ts'
import { inParallel } from './in-parallel.ts'
import type { Manifest } from './manifest.ts'
import { inBuckets, inOrder, packNames } from './name-lists.ts'
import { createObjectSender, type ObjectSender } from './object-sender.ts'
import { type TestRestoreReport, testRestore } from './test-restore.ts'
import { readTested, writeTested } from './tested-mark.ts'

const WIDTH = 4
/** Blobs that go away while we work are seldom, and go away once. */
const MAX_SNAPSHOTS = 3

export interface CreateBackupOptions {
  readonly repository: BackupRepository
  readonly dataDirectory: string
  /** Of the server. */
  readonly blobs: BlobObjects
  readonly configuration: Configuration
  /** Where the world reaches the server. */
  readonly publicUrl: string
  /** End with a test restore, as `testRestore` does. Default: no. */
  readonly test?: boolean | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly onProgress?: (progress: BackupProgress) => void
}

export interface BackupProgress {
  readonly part: 'blobs' | 'snapshot' | 'database' | 'check' | 'restore' | 'accounts'
  /** Objects, or with `snapshot` attempts. */
  readonly done: number
  readonly total: number | undefined
}

export interface BackupReport {
  readonly backup: BackupEntry
  readonly manifest: Manifest
  /** Keys of what was not there before, without the manifest. */
  readonly sent: readonly string[]
  /** Bytes that went out. */
  readonly sentBytes: number
  /** How long the database was copied, in milliseconds: so long its write-ahead log could not be emptied. */
  readonly snapshotMs: number
  /** What the test restore found, if there was one. */
  readonly test: TestRestoreReport | undefined
}

/**
 * Makes one backup of a server that may be running: the database as it is at one moment after the call, the blobs that
 * it names, and the configuration. Sends only what the repository does not have; the backup exists once its manifest
 * does, which goes last. A run that was killed left nothing behind but objects that the next one finds.
 *
 * @throws {BackupError} `NoDatabase`, `Busy`, `LeaseLost`; with a test restore what that throws, and the backup is there
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupReport> {
  const { repository, dataDirectory, configuration, publicUrl, now } = options
  const createdAt = now()
  using snapshot = openSnapshotFolder(dataDirectory)
  await using lease = await repository.takeLease('backup')
  if (lease === undefined)
    throw new BackupError('Busy', 'old backups are being cleared away here: try again in a few minutes')
  const at = await placeInTime(repository, createdAt)
  // Only now: what was there before the lease may have been cleared away meanwhile.
  const sender = createObjectSender(repository, await repository.objects())

  const { missing, snapshotMs } = await takeSnapshot(options, sender, snapshot.file)
  const { bytes, accounts, sequence } = factsOf(snapshot.file)
  const chunkKeys = await sendDatabase(options, sender, snapshot.file, bytes)
  const named = sizesOfBlobs(repository, snapshot.file, missing)

  const sendLists = (lists: readonly (readonly string[])[]) =>
    Promise.all(lists.map((list) => sender.chunk(packNames(list))))
  const manifest: Manifest = {
    version: 1,
    createdAt,
    publicUrl,
    accounts,
    database: { bytes, chunkBytes: CHUNK_BYTES, lists: await sendLists(inOrder(chunkKeys)) },
    blobs: {
      count: named.size,
      bytes: named.values().reduce((sum, size) => sum + size, 0),
      lists: await sendLists(inBuckets(named.keys())),
    },
    missingBlobs: missing.map(({ did, cid }) => ({ did, cid: cid.toString() })),
    configuration: await sender.chunk(new TextEncoder().encode(JSON.stringify(configuration.environment))),
    keepYourself: configuration.keepYourself,
    sequence,
  }
  lease.assertHeld()
  const backup = await repository.writeManifest(manifest, at)
  const { sent, sentBytes } = sender
  const test = options.test ? await tryOut(options, snapshot, backup, sent) : undefined
  return { backup, manifest, sent, sentBytes, snapshotMs, test }
}

/** After every backup that is there, though the clock may have been set back since: the newest is the last that was made. */
async function placeInTime(repository: BackupRepository, now: number): Promise<number> {
  const latest = (await repository.backups()).at(-1)
  return latest === undefined ? now : Math.max(now, latest.createdAt + 1)
}

async function tryOut(
  { repository, onProgress }: CreateBackupOptions,
  { folder, file, restored }: SnapshotFolder,
  { key: backup }: BackupEntry,
  sent: readonly string[],
): Promise<TestRestoreReport> {
  const earlier = readTested(folder, repository.id)
  // Clearing away may have taken it since.
  const isThere = (await repository.backups()).some(({ key }) => key === earlier)
  const test = await testRestore({
    repository,
    backup,
    snapshot: file,
    file: restored,
    sent,
    earlier: isThere ? earlier : undefined,
    onProgress,
  })
  if (test.findings.length === 0) writeTested(folder, { repository: repository.id, backup })
  return test
}

/** Copies the database, and sends every blob that the copy names. Returns those that the server does not have. */
async function takeSnapshot(
  { dataDirectory, blobs, onProgress }: CreateBackupOptions,
  sender: ObjectSender,
  file: string,
): Promise<{ missing: readonly BlobName[]; snapshotMs: number }> {
  let seen = 0
  async function sendBlobs(names: Iterable<BlobName>): Promise<BlobName[]> {
    const unreadable: BlobName[] = []
    await inParallel(names, WIDTH, async (name) => {
      try {
        await sender.blob(name.cid, readBlob(blobs, name.did, name.cid))
      } catch (error) {
        if (!(error instanceof BlobUnreadableError)) throw error
        unreadable.push(name)
      }
      onProgress?.({ part: 'blobs', done: ++seen, total: undefined })
    })
    return unreadable
  }

  // Most of the work is done before the moment that counts, so that little can go away between it and the end.
  await sendBlobs(blobsOf(join(dataDirectory, DATABASE_FILE)))
  for (let attempt = 1; ; attempt++) {
    onProgress?.({ part: 'snapshot', done: attempt, total: undefined })
    const begun = performance.now()
    await copyDatabase(dataDirectory, file)
    const snapshotMs = performance.now() - begun
    const missing = await sendBlobs(blobsOf(file))
    // What went away in good order is not in the next snapshot; what was lost is missing in that one, too.
    const isLost = missing.every((name) => hasBlobRow(dataDirectory, name))
    if (isLost || attempt === MAX_SNAPSHOTS) return { missing, snapshotMs }
  }
}

/** Sends the chunks of a file that stands still. Returns their keys, in order. */
async function sendDatabase(
  { onProgress }: CreateBackupOptions,
  sender: ObjectSender,
  path: string,
  bytes: number,
): Promise<string[]> {
  const keys: string[] = new Array(Math.ceil(bytes / CHUNK_BYTES))
  await using file = await openDisposable(path)
  let done = 0
  await inParallel(keys.keys(), WIDTH, async (index) => {
    keys[index] = await sender.chunk(await readChunk(file.handle, index, bytes))
    onProgress?.({ part: 'database', done: ++done, total: keys.length })
  })
  return keys
}

/** Keys of the blobs that a backup holds, each once though several accounts may have it, with their sizes. */
function sizesOfBlobs(
  repository: BackupRepository,
  file: string,
  missing: readonly BlobName[],
): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { cid, size } of blobsOf(file)) sizes.set(repository.blobKey(cid), size)
  for (const { cid } of missing) sizes.delete(repository.blobKey(cid))
  return sizes
}
