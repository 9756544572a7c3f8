import type { DatabaseSync } from 'node:sqlite'
import type { Did } from '@imago/syntax'
import { hasColumn } from './reference-schema.ts'

/** A row of the reference's `actor`, with what `account` adds: NULL there for accounts without a password here. */
export interface ReferenceAccount {
  readonly did: Did
  readonly handle: string | null
  readonly createdAt: string
  readonly takedownRef: string | null
  readonly deactivatedAt: string | null
  readonly deleteAfter: string | null
  readonly email: string | null
  readonly passwordScrypt: string | null
  readonly emailConfirmedAt: string | null
  readonly invitesDisabled: number | null
}

export interface ReferenceRefreshToken {
  readonly id: string
  readonly expiresAt: string
  readonly nextId: string | null
  readonly appPasswordName: string | null
}

export interface ReferenceAppPassword {
  readonly name: string
  readonly passwordScrypt: string
  readonly createdAt: string
  readonly privileged: number
}

export interface ReferenceEmailToken {
  readonly purpose: string
  readonly token: string
  readonly requestedAt: string
}

/** The database of accounts, as far as it is about single ones. */
export interface ReferenceAccounts {
  /** In the order in which they came. */
  list(): readonly ReferenceAccount[]
  /** The revision of the repository, which this database may learn of a little later than its own. */
  rootRev(did: Did): string | undefined
  refreshTokens(did: Did): readonly ReferenceRefreshToken[]
  appPasswords(did: Did): readonly ReferenceAppPassword[]
  emailTokens(did: Did): readonly ReferenceEmailToken[]
}

export function createReferenceAccounts(sqlite: DatabaseSync): ReferenceAccounts {
  // Columns that came with later migrations.
  const actorColumn = (name: string) =>
    hasColumn(sqlite, 'actor', name) ? `actor.${name}` : `NULL AS ${name}`
  const privileged = hasColumn(sqlite, 'app_password', 'privileged') ? 'privileged' : '0 AS privileged'
  const accounts = sqlite.prepare(
    `SELECT actor.did, handle, createdAt, takedownRef, ${actorColumn('deactivatedAt')}, ${actorColumn('deleteAfter')},
      email, passwordScrypt, emailConfirmedAt, invitesDisabled
      FROM actor LEFT JOIN account ON account.did = actor.did ORDER BY createdAt, actor.did`,
  )
  const rootRev = sqlite.prepare('SELECT rev FROM repo_root WHERE did = ?')
  const refreshTokens = sqlite.prepare(
    'SELECT id, expiresAt, nextId, appPasswordName FROM refresh_token WHERE did = ?',
  )
  const appPasswords = sqlite.prepare(
    `SELECT name, passwordScrypt, createdAt, ${privileged} FROM app_password WHERE did = ?`,
  )
  const emailTokens = sqlite.prepare('SELECT purpose, token, requestedAt FROM email_token WHERE did = ?')
  return {
    list: () => accounts.all() as unknown as ReferenceAccount[],
    rootRev: (did) => (rootRev.get(did) as { rev: string } | undefined)?.rev,
    refreshTokens: (did) => refreshTokens.all(did) as unknown as ReferenceRefreshToken[],
    appPasswords: (did) => appPasswords.all(did) as unknown as ReferenceAppPassword[],
    emailTokens: (did) => emailTokens.all(did) as unknown as ReferenceEmailToken[],
  }
}
