import type { DatabaseSync } from 'node:sqlite'
import { Cid } from '@imago/data'
import { type Did, INVALID_HANDLE } from '@imago/syntax'
import { passwordToReference } from './reference-passwords.ts'
import { timeToReference } from './reference-times.ts'

export interface HandBackAccounts {
  /** Accounts about which it said something else. */
  readonly changed: readonly Did[]
  /** What the reference has no place for, in words. */
  readonly lost: readonly string[]
}

interface AccountRow {
  did: Did
  handle: string
  email: string | null
  email_confirmed_at: number | null
  password_hash: string
  created_at: number
  deactivated_at: number | null
  delete_after: number | null
  takedown_ref: string | null
  invites_disabled: number
  status: string | null
  head: Uint8Array
  rev: string
}

/** Tables of single accounts there, by what must go when an account is gone. */
const OF_ACCOUNTS = ['repo_root', 'email_token', 'refresh_token', 'app_password', 'account', 'actor'] as const

/** Makes the database of accounts there say what ours says, in one transaction. */
export function handBackAccounts(
  ours: DatabaseSync,
  theirs: DatabaseSync,
  options: {
    removed: readonly Did[]
    /** Accounts whose repositories could not be written: what is said of them stays as it is. */
    leftOut: ReadonlySet<string>
    dryRun: boolean
    nowMs: number
  },
): HandBackAccounts {
  const { removed, leftOut, dryRun, nowMs } = options
  const lost: string[] = []
  theirs.exec('BEGIN IMMEDIATE')
  try {
    for (const did of removed)
      for (const table of OF_ACCOUNTS) theirs.prepare(`DELETE FROM ${table} WHERE did = ?`).run(did)
    const all = ours
      .prepare('SELECT account.*, status, head, rev FROM account JOIN repo ON repo.did = account.did')
      .all() as unknown as AccountRow[]
    const rows = all.filter(({ did }) => !leftOut.has(did))
    const state = theirs.prepare(STATE)
    const stateOf = (did: Did) => JSON.stringify(state.get(did))
    const known = new Map(rows.filter(({ did }) => state.get(did)).map(({ did }) => [did, stateOf(did)]))
    // A handle or an address may have gone from one account to another.
    for (const { did } of rows) {
      theirs.prepare('UPDATE actor SET handle = NULL WHERE did = ?').run(did)
      theirs.prepare('UPDATE account SET email = did WHERE did = ?').run(did)
    }
    for (const row of rows) {
      lost.push(...returnAccount(theirs, row, nowMs))
      returnCredentials(ours, theirs, row.did)
    }
    const changed = rows
      .filter(({ did }) => known.has(did) && known.get(did) !== stateOf(did))
      .map(({ did }) => did)
    returnInvites(ours, theirs)
    theirs.exec(dryRun ? 'ROLLBACK' : 'COMMIT')
    return { changed, lost }
  } catch (error) {
    if (theirs.isTransaction) theirs.exec('ROLLBACK')
    throw error
  }
}

/** What is said of one account, for comparison. */
const STATE = `SELECT handle, takedownRef, deactivatedAt, deleteAfter, email, passwordScrypt, emailConfirmedAt,
  invitesDisabled FROM actor LEFT JOIN account ON account.did = actor.did WHERE actor.did = ?`

function returnAccount(theirs: DatabaseSync, row: AccountRow, nowMs: number): string[] {
  const lost: string[] = []
  const { did } = row
  const time = (timeMs: number | null) => (timeMs === null ? null : timeToReference(timeMs))
  const isTakenDown = row.status === 'takendown' || row.status === 'suspended'
  theirs
    .prepare(
      `INSERT INTO actor (did, handle, createdAt, takedownRef, deactivatedAt, deleteAfter) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (did) DO UPDATE SET handle = excluded.handle, takedownRef = excluded.takedownRef,
          deactivatedAt = excluded.deactivatedAt, deleteAfter = excluded.deleteAfter`,
    )
    .run(
      did,
      row.handle.endsWith(`.${INVALID_HANDLE}`) ? null : row.handle,
      timeToReference(row.created_at),
      isTakenDown ? (row.takedown_ref ?? timeToReference(nowMs)) : null,
      row.status === null ? null : time(row.deactivated_at),
      row.status === null ? null : time(row.delete_after),
    )
  theirs
    .prepare(
      `INSERT INTO repo_root (did, cid, rev, indexedAt) VALUES (?, ?, ?, ?)
        ON CONFLICT (did) DO UPDATE SET cid = excluded.cid, rev = excluded.rev`,
    )
    .run(did, new Cid(row.head).toString(), row.rev, timeToReference(nowMs))

  const known = theirs.prepare('SELECT email, passwordScrypt FROM account WHERE did = ?').get(did) as
    | { email: string; passwordScrypt: string }
    | undefined
  const password = passwordToReference(row.password_hash) ?? known?.passwordScrypt
  if (password === undefined) return lost
  if (passwordToReference(row.password_hash) === undefined)
    lost.push(
      `the password of ${did}, which has a form that the reference cannot check: its earlier one counts`,
    )
  // The reference keeps no account without an address.
  const email = row.email ?? `${did.slice(did.lastIndexOf(':') + 1)}@${INVALID_HANDLE}`
  if (row.email === null && known === undefined)
    lost.push(`${did} has no email address, and the reference wants one: it is ${email} now`)
  theirs
    .prepare(
      `INSERT INTO account (did, email, passwordScrypt, emailConfirmedAt, invitesDisabled) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (did) DO UPDATE SET email = excluded.email, passwordScrypt = excluded.passwordScrypt,
          emailConfirmedAt = excluded.emailConfirmedAt, invitesDisabled = excluded.invitesDisabled`,
    )
    .run(did, email, password, time(row.email_confirmed_at), row.invites_disabled)
  return lost
}

function returnCredentials(ours: DatabaseSync, theirs: DatabaseSync, did: Did): void {
  const all = (sql: string) => ours.prepare(sql).all(did) as Record<string, string | number | null>[]
  for (const table of ['email_token', 'refresh_token', 'app_password'])
    theirs.prepare(`DELETE FROM ${table} WHERE did = ?`).run(did)
  for (const row of all('SELECT * FROM refresh_token WHERE did = ?'))
    theirs
      .prepare(
        'INSERT INTO refresh_token (id, did, expiresAt, nextId, appPasswordName) VALUES (?, ?, ?, ?, ?)',
      )
      .run(row['id']!, did, timeToReference(Number(row['expires_at'])), row['next_id']!, row['app_password']!)
  for (const row of all('SELECT * FROM app_password WHERE did = ?')) {
    const password = passwordToReference(String(row['password_hash']))
    if (password === undefined) continue
    theirs
      .prepare(
        'INSERT INTO app_password (did, name, passwordScrypt, createdAt, privileged) VALUES (?, ?, ?, ?, ?)',
      )
      .run(did, row['name']!, password, timeToReference(Number(row['created_at'])), row['privileged']!)
  }
  for (const row of all('SELECT * FROM email_token WHERE did = ?'))
    theirs
      .prepare('INSERT INTO email_token (purpose, did, token, requestedAt) VALUES (?, ?, ?, ?)')
      .run(row['purpose']!, did, row['token']!, timeToReference(Number(row['requested_at'])))
}

function returnInvites(ours: DatabaseSync, theirs: DatabaseSync): void {
  const putCode = theirs.prepare(
    `INSERT INTO invite_code (code, availableUses, disabled, forAccount, createdBy, createdAt) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (code) DO UPDATE SET availableUses = excluded.availableUses, disabled = excluded.disabled`,
  )
  for (const row of ours.prepare('SELECT * FROM invite_code').all() as Record<string, string | number>[])
    putCode.run(
      row['code']!,
      row['available_uses']!,
      row['disabled']!,
      row['for_account']!,
      row['created_by']!,
      timeToReference(Number(row['created_at'])),
    )
  const putUse = theirs.prepare(
    'INSERT OR IGNORE INTO invite_code_use (code, usedBy, usedAt) VALUES (?, ?, ?)',
  )
  for (const row of ours.prepare('SELECT * FROM invite_code_use').all() as Record<string, string | number>[])
    putUse.run(row['code']!, row['used_by']!, timeToReference(Number(row['used_at'])))
}
