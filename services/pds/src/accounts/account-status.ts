import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { SqliteRepoStore } from '../repos/repo-store-sqlite.ts'

/** How much of an account is here. */
export interface AccountStatus {
  readonly records: number
  /** Commit, nodes and records. */
  readonly blocks: number
  readonly preferences: number
  /** Blobs that records refer to, and those of them that are here. */
  readonly expectedBlobs: number
  readonly presentBlobs: number
}

export interface AccountStatusReader {
  /** `undefined` when there is no repository of the DID. */
  read(did: Did): Promise<AccountStatus | undefined>
}

/** Counts in the service's own file: some milliseconds for each 100,000 records. */
export function createSqliteAccountStatus(
  database: Database,
  repos: Pick<SqliteRepoStore, 'idOf'>,
): AccountStatusReader {
  const { sqlite } = database
  const count = sqlite.prepare(`SELECT
    (SELECT count(*) FROM record INDEXED BY record_by_cid WHERE repo = ?1) AS records,
    (SELECT count(*) FROM node INDEXED BY node_by_cid WHERE repo = ?1) AS nodes,
    (SELECT count(*) FROM preference WHERE did = ?2) AS preferences`)
  const countBlobs = sqlite.prepare(`SELECT count(*) AS expectedBlobs, count(blob.cid) AS presentBlobs
    FROM (SELECT DISTINCT cid FROM record_blob INDEXED BY record_blob_by_cid WHERE repo = ?1) AS expected
    LEFT JOIN blob ON blob.repo = ?1 AND blob.cid = expected.cid`)
  return {
    async read(did) {
      const repo = repos.idOf(did)
      if (repo === undefined) return undefined
      const { records, nodes, preferences } = count.get(repo, did) as Record<string, number>
      const { expectedBlobs, presentBlobs } = countBlobs.get(repo) as Record<string, number>
      return {
        records: records!,
        blocks: 1 + nodes! + records!,
        preferences: preferences!,
        expectedBlobs: expectedBlobs!,
        presentBlobs: presentBlobs!,
      }
    },
  }
}
