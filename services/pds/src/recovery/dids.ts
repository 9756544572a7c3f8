import type { Did } from '@imago/syntax'
import type { DatabaseReader } from '../database/database.ts'
import { repoOf } from './repo-tables.ts'
import { accountOf } from './verify-account.ts'

const DIDS_PAGE = 500

/** Everyone that any table tells of, in the order of DIDs, each once. */
export function* allDids(database: DatabaseReader): Generator<Did, void, undefined> {
  for (let after = ''; ; ) {
    let page: Did[]
    {
      using snapshot = database.openSnapshot()
      const rows = snapshot
        .prepare(
          `SELECT did FROM account WHERE did > ?1 UNION SELECT did FROM repo WHERE did > ?1 ORDER BY did LIMIT ${DIDS_PAGE}`,
        )
        .all(after) as unknown as { did: Did }[]
      page = rows.map(({ did }) => did)
    }
    yield* page
    if (page.length < DIDS_PAGE) break
    after = page.at(-1)!
  }
}

/** Whether there is an account or a repository. */
export function isKnown(database: DatabaseReader, did: Did): boolean {
  using snapshot = database.openSnapshot()
  return repoOf(snapshot, did) !== undefined || accountOf(snapshot, did) !== undefined
}
