import { join } from 'node:path'
import type { Did } from '@imago/syntax'
import type { DatabaseReader } from '../database/database.ts'
import type { BlobInventory } from './blob-inventory.ts'
import { openDiskBlobInventory } from './blob-inventory-disk.ts'
import { allDids, isKnown } from './dids.ts'
import { type Finding, type Progress, RecoveryError } from './finding.ts'
import { openDataDirectory } from './open-data-directory.ts'
import { repoOf } from './repo-tables.ts'
import { accountOf } from './verify-account.ts'
import { type BlobCheck, verifyStrayBlobs } from './verify-blobs.ts'
import { corrupt, didsInEvents, isCorruption, verifyFile, verifyTables } from './verify-database.ts'
import { verifyEvents } from './verify-events.ts'
import { verifyEverythingOf } from './verify-everything-of.ts'

export interface VerifyOptions {
  readonly dataDirectory: string
  /** Default: `blobs` in the data directory. */
  readonly blobsDirectory?: string | undefined
  /** In place of a folder: wherever blobs lie. */
  readonly blobs?: BlobInventory | undefined
  /** This account only. */
  readonly did?: Did | undefined
  /** Compare sizes of blobs instead of reading them, and leave indexes of the database unread. */
  readonly quick?: boolean | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}

/**
 * Checks a data directory: every account, repository, key, blob and event against each other. Reads only, and may run
 * beside the server: each account is seen as it is at one moment, and but for SQLite's own check of its file no moment is
 * held for longer than an account takes. Memory does not grow with what there is.
 *
 * A directory in which nothing of level `error` is found is whole: each repository is what its commit signs, each record
 * and blob is there with its bytes, and the stream has told the truth.
 * @throws {RecoveryError} when there is no such directory or account, or another version of the server wrote it.
 */
export async function* verifyDataDirectory(
  options: VerifyOptions,
): AsyncGenerator<Finding | Progress, void, undefined> {
  const { dataDirectory, blobsDirectory = join(dataDirectory, 'blobs'), did, quick = false, now } = options
  using database = openDataDirectory(dataDirectory)
  const blobs = options.blobs ?? openDiskBlobInventory(blobsDirectory)
  try {
    yield* verifyAll({ database, blobs, quick, now }, did)
  } catch (error) {
    // Damage that SQLite runs into while it reads is one more thing that was found.
    if (!isCorruption(error)) throw error
    yield corrupt(error.message)
  }
}

async function* verifyAll(
  check: BlobCheck,
  did: Did | undefined,
): AsyncGenerator<Finding | Progress, void, undefined> {
  const { database } = check
  if (did !== undefined) {
    if (!isKnown(database, did)) throw new RecoveryError(`no account ${did} lies here: check the DID`)
    yield* verifyEverythingOf(check, did)
    return
  }
  const total = countAccounts(database)
  yield { type: 'progress', part: 'database', done: 0, total: 1 }
  yield* verifyFile(database, check.quick)
  {
    using snapshot = database.openSnapshot()
    yield* verifyTables(snapshot)
  }
  let done = 0
  for (const each of allDids(database)) {
    yield { type: 'progress', part: 'accounts', done: done++, total }
    yield* verifyEverythingOf(check, each)
  }
  yield* verifyOtherEvents(database)
  yield* verifyStrayBlobs(check)
  yield { type: 'progress', part: 'accounts', done, total }
}

/** Events of those who have neither account nor repository. */
function* verifyOtherEvents(database: DatabaseReader): Generator<Finding, void, undefined> {
  using snapshot = database.openSnapshot()
  for (const did of didsInEvents(snapshot))
    if (repoOf(snapshot, did) === undefined && accountOf(snapshot, did) === undefined)
      yield* verifyEvents(snapshot, did, undefined)
}

function countAccounts(database: DatabaseReader): number {
  using snapshot = database.openSnapshot()
  return (snapshot.prepare('SELECT count(*) AS n FROM account').get() as { n: number }).n
}
