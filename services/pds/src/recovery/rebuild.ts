import { join } from 'node:path'
import type { StatementSync } from 'node:sqlite'
import { openSqliteLog } from '@imago/log/sqlite'
import type { Did } from '@imago/syntax'
import { lockDataDirectory } from '../database/data-directory-lock.ts'
import { DATABASE_FILE, type Database, openDatabase } from '../database/database.ts'
import { EVENT_TABLE } from '../events/sequence.ts'
import type { BlobInventory } from './blob-inventory.ts'
import { openDiskBlobInventory } from './blob-inventory-disk.ts'
import { allDids, isKnown } from './dids.ts'
import { type Finding, type Progress, RecoveryError, type Repair } from './finding.ts'
import { openDataDirectory } from './open-data-directory.ts'
import { createQuarantine } from './quarantine.ts'
import { rebuildAccount } from './rebuild-account.ts'
import { inspectFiles } from './rebuild-blobs.ts'
import { RESTORE, repairFile, repairSequence, repairTables } from './rebuild-database.ts'
import type { Statements } from './repo-tables.ts'
import { type BlobCheck, strayFiles } from './verify-blobs.ts'
import { isCorruption } from './verify-database.ts'
import { verifyEverythingOf } from './verify-everything-of.ts'

export interface RebuildOptions {
  readonly dataDirectory: string
  /** Default: `blobs` in the data directory. */
  readonly blobsDirectory?: string | undefined
  /** In place of a folder: wherever blobs lie. */
  readonly blobs?: BlobInventory | undefined
  /** This account only. */
  readonly did?: Did | undefined
  /** Tell what would be done, and do nothing. */
  readonly dryRun?: boolean | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}

/**
 * Mends a data directory: makes again what follows from records and files, brings the stream up to date, and puts aside,
 * in the folder `quarantine`, what cannot be explained. Nothing is deleted. What could not be mended comes as a finding,
 * and is then as good as it can be: of an account in which a record was lost, the tree no longer speaks of it.
 *
 * Accounts in which nothing is wrong are not touched. Each is mended in one transaction, so that a rebuild can be stopped
 * at any moment, and begun again.
 * @throws {RecoveryError} when there is no such directory or account, another version of the server wrote it, or pages
 * of the database are damaged.
 * @throws {DataDirectoryInUseError} while the server runs.
 */
export async function* rebuildDataDirectory(
  options: RebuildOptions,
): AsyncGenerator<Finding | Progress | Repair, void, undefined> {
  const { dataDirectory } = options
  openDataDirectory(dataDirectory)[Symbol.dispose]()
  using _lock = lockDataDirectory(dataDirectory)
  try {
    yield* rebuildLocked(options)
  } catch (error) {
    if (!isCorruption(error)) throw error
    throw new RecoveryError(`the database is damaged (${error.message}): ${RESTORE}`, { cause: error })
  }
}

async function* rebuildLocked(
  options: RebuildOptions,
): AsyncGenerator<Finding | Progress | Repair, void, undefined> {
  const { dataDirectory, blobsDirectory = join(dataDirectory, 'blobs'), did, dryRun = false, now } = options
  using database = openDatabase(join(dataDirectory, DATABASE_FILE))
  if (did !== undefined && !isKnown(database, did))
    throw new RecoveryError(`no account ${did} lies here: check the DID`)
  const blobs = options.blobs ?? openDiskBlobInventory(blobsDirectory)
  using quarantine = createQuarantine(dataDirectory, now)
  const check: BlobCheck = { database, blobs, quick: false, now }

  yield* repairFile(database, dryRun)
  yield* repairSequence(database, now(), dryRun)
  await using log = openSqliteLog(database.sqlite, { table: EVENT_TABLE, now })
  const statements = keepStatements(database)
  if (did === undefined) yield* repairTables(database, statements, quarantine, dryRun)

  const dids = did === undefined ? [...allDids(database)] : [did]
  for (const [index, each] of dids.entries()) {
    yield { type: 'progress', part: 'accounts', done: index, total: dids.length }
    const found = await collect(verifyEverythingOf(check, each))
    if (found.length === 0) continue
    const files = await inspectFiles(blobs, each)
    const { items, strays } = rebuildAccount({ database, statements, log, quarantine, now }, each, files, {
      dryRun,
    })
    yield* items
    for (const file of strays) {
      if (!dryRun)
        await quarantine.addFile(blobs, file, { did: each, reason: 'no row speaks of it, or it is damaged' })
      yield { type: 'repair', did: each, path: file.name, message: 'the file was put aside' }
    }
    // What a rehearsal would leave cannot be looked at.
    if (!dryRun) yield* verifyEverythingOf(check, each)
    else if (items.length + strays.length === 0) yield* found
  }
  if (did !== undefined) return
  for (const { file, owner } of await collect(strayFiles(check))) {
    if (!dryRun) await quarantine.addFile(blobs, file, { did: owner, reason: 'it belongs to no account' })
    yield {
      type: 'repair',
      ...(owner !== undefined && { did: owner }),
      path: file.name,
      message: 'the file, which belongs to no account, was put aside',
    }
  }
}

function keepStatements({ sqlite }: Database): Statements {
  const statements = new Map<string, StatementSync>()
  return {
    prepare(sql) {
      let statement = statements.get(sql)
      if (statement === undefined) statements.set(sql, (statement = sqlite.prepare(sql)))
      return statement
    },
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const item of items) collected.push(item)
  return collected
}
