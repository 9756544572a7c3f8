import type { AccountRepair } from './account-repair.ts'
import type { RepoRow } from './repo-tables.ts'
import { type AccountRow, statusOf } from './verify-account.ts'

/**
 * Brings account and repository to agree on whether it is served. Where they do not, it is not: what someone has
 * withdrawn is not published by a repair.
 */
export function repairStatus(
  { sql, did, repo, now, mended }: AccountRepair,
  account: AccountRow,
): RepoRow['status'] {
  const own = statusOf(account)
  if (repo.status === own || repo.status === 'suspended') return repo.status
  const status = own === 'takendown' || repo.status === null ? own : repo.status
  sql.prepare('UPDATE repo SET status = ? WHERE did = ?').run(status, did)
  if (status === 'deactivated')
    sql
      .prepare('UPDATE account SET deactivated_at = coalesce(deactivated_at, ?) WHERE did = ?')
      .run(now(), did)
  if (status === 'takendown')
    sql.prepare(`UPDATE account SET takedown_ref = coalesce(takedown_ref, 'rebuild') WHERE did = ?`).run(did)
  mended(`account and repository are both ${status}`)
  return status
}
