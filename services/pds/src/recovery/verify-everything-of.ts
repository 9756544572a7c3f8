import type { Did } from '@imago/syntax'
import type { Finding } from './finding.ts'
import { repoOf } from './repo-tables.ts'
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
    const repo = repoOf(snapshot, did)
    const account = accountOf(snapshot, did)
    if (repo !== undefined || account !== undefined) yield* verifyAccount(did, account, repo)
    if (repo !== undefined) yield* verifyRepo(snapshot, repo)
    yield* verifyEvents(snapshot, did, repo)
    if (repo === undefined) return
  }
  yield* verifyBlobs(check, did)
}
