import { type Tid, tidFromMicros } from '@imago/syntax'
import type { Finding } from '../recovery/finding.ts'
import { verifyRows } from '../recovery/verify-rows.ts'
import { type BackupRepository, BLOBS, CHUNKS } from './backup-repository.ts'
import { BlobUnreadableError, checked } from './blob-source.ts'
import { checkBackup, namedBy } from './check-backup.ts'
import { CHUNK_BYTES, openDisposable, readChunk, writeAt } from './chunked-file.ts'
import type { BackupProgress } from './create-backup.ts'
import { type BlobName, blobsOf } from './database-snapshot.ts'
import { inParallel } from './in-parallel.ts'
import type { Manifest } from './manifest.ts'
import { readLists } from './name-lists.ts'
import { openRestored } from './restored-database.ts'
import { damaged } from './sealed-object.ts'

const WIDTH = 4
const OWNER_ONLY_FILE = 0o600
/** Pieces, and blobs, of earlier backups that are read back beside those that were sent just now. */
const SAMPLE = 16

/** What a test restore did. */
export interface TestRestoreReport {
  /** Objects that the backup names, each of them there. */
  readonly objects: number
  /** Pieces that make up the database. */
  readonly chunks: number
  /** Those that came out of the repository: all that were not tried before, and a sample of the others. */
  readonly fetchedChunks: number
  /** Accounts that were checked in the restored database: all, or those that have changed since the earlier one. */
  readonly checkedAccounts: number
  /** Blobs that were read back and compared. */
  readonly readBlobs: number
  /** What is wrong with the restored database. */
  readonly findings: readonly Finding[]
  readonly elapsedMs: number
}

export interface TestRestoreOptions {
  readonly repository: BackupRepository
  /** Key of the backup. */
  readonly backup: string
  /** The database that it was made of. */
  readonly snapshot: string
  /** The file to restore to; one that is there is lost. */
  readonly file: string
  /** Keys of what it has sent. */
  readonly sent: readonly string[]
  /** The newest backup whose test restore found nothing wrong; `undefined` when there is none. */
  readonly earlier: string | undefined
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined
}

/**
 * Restores the database of a backup that was made just now, opens it as a server would, and checks it. Costs what is new:
 * pieces that the earlier backup names, too, stand in from the snapshot but for a sample, another one each time; and those
 * repositories are checked that have changed since. Without an earlier one all is tried. Blobs have all to be there; those
 * that are new are read back, and a sample of the others.
 *
 * @throws {BackupError} `Missing`, `Damaged`, naming the object; `TooNew` when the server is newer than this program.
 */
export async function testRestore(options: TestRestoreOptions): Promise<TestRestoreReport> {
  const { repository, backup, sent, earlier, onProgress } = options
  const begun = performance.now()
  const manifest = await repository.readManifest(backup)
  const chunks = await Array.fromAsync(readLists(repository, manifest.database.lists, CHUNKS))
  const ofDatabase = new Set(chunks)
  const tried = earlier === undefined ? new Set<string>() : await namedBy(repository, earlier)
  // What was sent anew had been lost meanwhile, or spoiled.
  const fresh = (await namedBy(repository, backup)).difference(tried).union(new Set(sent))
  const { objects } = await checkBackup(repository, backup, {
    read: [...fresh.difference(ofDatabase)],
    ...(onProgress && { onProgress }),
  })
  const isSampled = samplerOf(manifest.createdAt)
  const fetchedChunks = await restoreChunks(options, chunks, manifest.database.bytes, fresh, isSampled)
  const lost = new Set(manifest.missingBlobs.map(({ cid }) => cid))
  const readBlobs = await readBlobsBack(
    options,
    fresh,
    ({ cid }, index) => isSampled(index, manifest.blobs.count) && !lost.has(cid.toString()),
  )
  const { findings, checkedAccounts } = await checkRestored(options, await checkedSince(options, manifest))
  const elapsedMs = performance.now() - begun
  return { objects, chunks: chunks.length, fetchedChunks, checkedAccounts, readBlobs, findings, elapsedMs }
}

/** The revision up to which the earlier backup has seen everything. A clock that was set back tells nothing of that. */
async function checkedSince(
  { repository, earlier }: TestRestoreOptions,
  { createdAt }: Manifest,
): Promise<Tid | undefined> {
  if (earlier === undefined) return undefined
  const before = await repository.readManifest(earlier)
  return before.createdAt > createdAt ? undefined : tidFromMicros(before.createdAt * 1000, 0)
}

type Sampler = (index: number, count: number) => boolean

/** Every n-th, so that there are few; which of them depends on the time, so that it is each one's turn some day. */
function samplerOf(timeMs: number): Sampler {
  const turn = Math.floor(timeMs / 1000)
  return (index, count) => {
    const stride = Math.max(1, Math.ceil(count / SAMPLE))
    return index % stride === turn % stride
  }
}

/** @returns how many pieces came out of the repository. */
async function restoreChunks(
  { repository, snapshot, file, onProgress }: TestRestoreOptions,
  chunks: readonly string[],
  bytes: number,
  fresh: ReadonlySet<string>,
  isSampled: Sampler,
): Promise<number> {
  await using source = await openDisposable(snapshot)
  await using target = await openDisposable(file, 'w', OWNER_ONLY_FILE)
  let [fetched, done] = [0, 0]
  await inParallel(chunks.entries(), WIDTH, async ([index, key]) => {
    const own = await readChunk(source.handle, index, bytes)
    let content = own
    if (fresh.has(key) || isSampled(index, chunks.length)) {
      content = await repository.getChunk(key)
      if (content.length !== own.length) throw damaged(key)
      fetched++
    }
    await writeAt(target.handle, content, index * CHUNK_BYTES)
    onProgress?.({ part: 'restore', done: ++done, total: chunks.length })
  })
  return fetched
}

/** @returns how many blobs have been read, with those that were read back because they are new. */
async function readBlobsBack(
  { repository, snapshot, onProgress }: TestRestoreOptions,
  fresh: ReadonlySet<string>,
  isSampled: (name: BlobName, index: number) => boolean,
): Promise<number> {
  const sampled = blobsOf(snapshot).filter(
    (name, index) => !fresh.has(repository.blobKey(name.cid)) && isSampled(name, index),
  )
  let read = fresh.values().reduce((count, key) => (key.startsWith(BLOBS) ? count + 1 : count), 0)
  await inParallel(sampled, WIDTH, async ({ cid }) => {
    const key = repository.blobKey(cid)
    try {
      for await (const _ of checked(await repository.getBlob(key), cid));
    } catch (error) {
      throw error instanceof BlobUnreadableError ? damaged(key, error) : error
    }
    read++
    onProgress?.({ part: 'check', done: read, total: undefined })
  })
  return read
}

async function checkRestored(
  { file, onProgress }: TestRestoreOptions,
  since: Tid | undefined,
): Promise<Pick<TestRestoreReport, 'findings' | 'checkedAccounts'>> {
  using database = openRestored(file)
  const findings: Finding[] = []
  let checkedAccounts = 0
  for await (const item of verifyRows(database, since)) {
    if (item.type === 'progress') {
      checkedAccounts = item.done
      onProgress?.({ part: 'accounts', done: item.done, total: undefined })
    } else if (item.level === 'error') findings.push(item)
  }
  return { findings, checkedAccounts }
}
