import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Tid } from '@imago/syntax'
import type { DatabaseReader } from '../database/database.ts'
import { allDids } from './dids.ts'
import type { Finding, Progress } from './finding.ts'
import { repoOf } from './repo-tables.ts'
import { corrupt, isCorruption, verifyFile, verifyTables } from './verify-database.ts'
import { verifyRowsOf } from './verify-everything-of.ts'

/**
 * Checks a database by itself, as one that stands still and has no blobs beside it: SQLite's pages, and every account,
 * repository and event against each other.
 * @param since leave out repositories whose newest revision is no later. Default: all are checked.
 */
export async function* verifyRows(
  database: DatabaseReader,
  since?: Tid,
): AsyncGenerator<Finding | Progress, void, undefined> {
  try {
    yield* verifyFile(database, true)
    const total = { type: 'progress', part: 'accounts', total: 0 } as const
    let done = 0
    for (const did of allDids(database)) {
      using snapshot = database.openSnapshot()
      const repo = repoOf(snapshot, did)
      if (since !== undefined && repo !== undefined && repo.rev <= since) continue
      yield { ...total, done: ++done }
      yield* verifyRowsOf(snapshot, did)
      // Somebody may have to be told that this process lives.
      await nextTurn()
    }
    using snapshot = database.openSnapshot()
    yield* verifyTables(snapshot)
  } catch (error) {
    if (!isCorruption(error)) throw error
    yield corrupt(error.message)
  }
}
