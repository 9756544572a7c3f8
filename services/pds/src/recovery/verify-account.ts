import type { Did } from '@imago/syntax'
import type { Finding, FindingCode } from './finding.ts'
import type { RepoRow, Statements } from './repo-tables.ts'

/** Facts of `account` that say whether it is served. */
export interface AccountRow {
  readonly did: Did
  readonly deactivated_at: number | null
  readonly takedown_ref: string | null
}

export const accountOf = (sql: Statements, did: Did) =>
  sql.prepare('SELECT did, deactivated_at, takedown_ref FROM account WHERE did = ?').get(did) as
    | AccountRow
    | undefined

/** The state that the account's own row speaks of. Suspension is known to the repository alone. */
export function statusOf({ deactivated_at, takedown_ref }: AccountRow): RepoRow['status'] {
  if (takedown_ref !== null) return 'takendown'
  return deactivated_at === null ? null : 'deactivated'
}

export function* verifyAccount(
  did: Did,
  account: AccountRow | undefined,
  repo: RepoRow | undefined,
): Generator<Finding, void, undefined> {
  const found = (code: FindingCode, message: string, fix = `imago pds rebuild --did ${did}`): Finding => ({
    type: 'finding',
    code,
    level: 'error',
    did,
    message,
    fix,
  })
  if (account === undefined)
    yield found(
      'repo-without-account',
      'there is a repository, and no account',
      'restore the account from a backup',
    )
  else if (repo === undefined)
    yield found(
      'account-without-repo',
      'there is an account, and no repository',
      'restore the account from a backup, or delete it (com.atproto.admin.deleteAccount)',
    )
  else {
    const status = statusOf(account)
    if (repo.status !== status && repo.status !== 'suspended')
      yield found(
        'status-differs',
        `the account is ${status ?? 'active'}, and its repository ${repo.status ?? 'active'}`,
      )
  }
}
