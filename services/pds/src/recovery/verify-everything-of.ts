import type { Did } from '@imago/syntax'
import type { Finding } from './finding.ts'
import { repoOf, type Statements } from './repo-tables.ts'
import { accountOf, verifyAccount } from './verify-account.ts'
import { type BlobCheck, verifyBlobs } from './verify-blobs.ts'
import { verifyEvents } from './verify-events.ts'
import { verifyRepo } from './verify-repo.ts'

/** All that there is of one DID: account, repository and events as they are at one moment, then its blobs. */
export async function* verifyEverythingOf(
  check: BlobCheck,
  did: Did,
): AsyncGenerator<Finding, void, undefined> {
  {
    using snapshot = check.database.openSnapshot()
    yield* verifyRowsOf(snapshot, did)
    if (repoOf(snapshot, did) === undefined) return
  }
  yield* verifyBlobs(check, did)
}

/** Account, repository and events. */
export function* verifyRowsOf(sql: Statements, did: Did): Generator<Finding, void, undefined> {
  const repo = repoOf(sql, did)
  const account = accountOf(sql, did)
  if (repo !== undefined || account !== undefined) yield* verifyAccount(did, account, repo)
  if (repo !== undefined) yield* verifyRepo(sql, repo)
  yield* verifyEvents(sql, did, repo)
}
