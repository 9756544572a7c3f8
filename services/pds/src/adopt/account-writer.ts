import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { type Did, INVALID_HANDLE, isHandle, normalizeHandle } from '@imago/syntax'
import { NO_PASSWORD } from '../accounts/password.ts'
import type { NewHead, RepoStatus } from '../repos/repo-store.ts'
import { CorruptAccountError } from './adopt-error.ts'
import type { ReferenceBlob } from './carry-blobs.ts'
import type { ReferenceAccount, ReferenceAccounts } from './reference-accounts.ts'
import { passwordFromReference } from './reference-passwords.ts'
import { cidOf, type ReferenceNode, type ReferenceRecord } from './reference-repo.ts'
import { timeFromReference } from './reference-times.ts'

/** Writes the parts of an account into our tables, inside the caller's transactions. `repo` is its number there. */
export interface AccountWriter {
  node(repo: number, node: ReferenceNode): void
  record(repo: number, record: ReferenceRecord): void
  /** What records refer to: blobs, and what they are about. */
  references(repo: number, did: Did, source: DatabaseSync): void
  blob(repo: number, blob: ReferenceBlob, nowMs: number): void
  /** @returns how many sessions go on. */
  credentials(did: Did, source: ReferenceAccounts): number
  preferences(did: Did, source: DatabaseSync): void
  /** The account itself, and its repository with that: from the end of this transaction on they are there. */
  account(repo: number, account: ReferenceAccount, signingKey: Uint8Array, head: NewHead, nowMs: number): void
}

export function createAccountWriter(sqlite: DatabaseSync): AccountWriter {
  const insertNode = sqlite.prepare('INSERT OR IGNORE INTO node (repo, cid, rev, bytes) VALUES (?, ?, ?, ?)')
  const insertRecord = sqlite.prepare(
    'INSERT INTO record (repo, path, cid, rev, bytes) VALUES (?, ?, ?, ?, ?)',
  )
  const insertRecordTakedown = sqlite.prepare(
    'INSERT INTO record_takedown (repo, path, ref) VALUES (?, ?, ?)',
  )
  const insertReference = sqlite.prepare(
    'INSERT OR IGNORE INTO record_blob (repo, path, cid, rev) VALUES (?, ?, ?, ?)',
  )
  const insertBacklink = sqlite.prepare(
    'INSERT OR IGNORE INTO backlink (repo, path, collection, subject) VALUES (?, ?, ?, ?)',
  )
  const insertBlob = sqlite.prepare(
    'INSERT INTO blob (repo, cid, mime_type, size, created_at, temporary, takedown_ref) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const insertRefreshToken = sqlite.prepare(
    'INSERT OR REPLACE INTO refresh_token (id, did, expires_at, next_id, app_password) VALUES (?, ?, ?, ?, ?)',
  )
  const insertAppPassword = sqlite.prepare(
    'INSERT OR REPLACE INTO app_password (did, name, password_hash, privileged, created_at) VALUES (?, ?, ?, ?, ?)',
  )
  const insertEmailToken = sqlite.prepare(
    'INSERT OR REPLACE INTO email_token (purpose, did, token, requested_at) VALUES (?, ?, ?, ?)',
  )
  const insertPreference = sqlite.prepare(
    'INSERT OR REPLACE INTO preference (did, position, type, value) VALUES (?, ?, ?, ?)',
  )
  const insertRepo = sqlite.prepare(
    `INSERT INTO repo (id, did, head, rev, data, commit_bytes, signing_key, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertAccount = sqlite.prepare(
    `INSERT INTO account (did, handle, email, email_confirmed_at, password_hash, created_at, deactivated_at,
      delete_after, takedown_ref, invites_disabled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )

  return {
    node(repo, { cid, rev, bytes }) {
      insertNode.run(repo, cid.bytes, rev, bytes)
    },

    record(repo, { path, cid, rev, bytes, takedownRef }) {
      insertRecord.run(repo, path, cid.bytes, rev, bytes)
      if (takedownRef !== null) insertRecordTakedown.run(repo, path, takedownRef)
    },

    references(repo, did, source) {
      const pathOf = (uri: string) => uri.slice(`at://${did}/`.length)
      const blobs = source.prepare(
        'SELECT recordUri, blobCid, repoRev FROM record_blob JOIN record ON uri = recordUri',
      )
      for (const row of blobs.iterate() as Iterable<unknown> as Iterable<BlobReferenceRow>)
        insertReference.run(repo, pathOf(row.recordUri), cidOf(row.blobCid, 'record_blob').bytes, row.repoRev)
      const links = source.prepare(
        'SELECT backlink.uri, linkTo, collection FROM backlink JOIN record USING (uri)',
      )
      for (const row of links.iterate() as Iterable<unknown> as Iterable<BacklinkRow>)
        insertBacklink.run(repo, pathOf(row.uri), row.collection, row.linkTo)
    },

    blob(repo, { cid, mimeType, size, createdAt, takedownRef, temporary }, nowMs) {
      // An upload begins its day anew: the person may be in the middle of a post.
      const at = temporary ? nowMs : timeFromReference(createdAt, nowMs)
      insertBlob.run(repo, cid.bytes, mimeType, size, at, temporary ? 1 : 0, takedownRef)
    },

    credentials(did, source) {
      const sessions = source.refreshTokens(did)
      for (const { id, expiresAt, nextId, appPasswordName } of sessions)
        insertRefreshToken.run(id, did, timeFromReference(expiresAt, 0), nextId, appPasswordName)
      for (const { name, passwordScrypt, privileged, createdAt } of source.appPasswords(did))
        insertAppPassword.run(did, name, hashOf(passwordScrypt), privileged, timeFromReference(createdAt, 0))
      for (const { purpose, token, requestedAt } of source.emailTokens(did))
        insertEmailToken.run(purpose, did, token, timeFromReference(requestedAt, 0))
      return sessions.length
    },

    preferences(did, source) {
      const rows = source.prepare('SELECT id, name, valueJson FROM account_pref ORDER BY id')
      for (const row of rows.iterate() as Iterable<unknown> as Iterable<PreferenceRow>)
        insertPreference.run(did, row.id, row.name, row.valueJson)
    },

    account(repo, account, signingKey, head, nowMs) {
      const { did, takedownRef, deactivatedAt, deleteAfter, emailConfirmedAt } = account
      const time = (text: string | null, otherwise: number): SQLInputValue =>
        text === null ? null : timeFromReference(text, otherwise)
      insertRepo.run(
        repo,
        did,
        head.cid.bytes,
        head.rev,
        head.data.bytes,
        head.commitBytes,
        signingKey,
        statusOf(account) ?? null,
      )
      insertAccount.run(
        did,
        handleOf(account),
        account.email?.toLowerCase() ?? null,
        time(emailConfirmedAt, nowMs),
        account.passwordScrypt === null ? NO_PASSWORD : hashOf(account.passwordScrypt),
        timeFromReference(account.createdAt, nowMs),
        time(deactivatedAt, nowMs),
        deleteAfterOf(deleteAfter, nowMs),
        takedownRef,
        account.invitesDisabled ?? 0,
      )
    },
  }
}

interface BlobReferenceRow {
  recordUri: string
  blobCid: string
  repoRev: string
}

interface BacklinkRow {
  uri: string
  linkTo: string
  collection: string
}

interface PreferenceRow {
  id: number
  name: string
  valueJson: string
}

export function statusOf({
  takedownRef,
  deactivatedAt,
}: Pick<ReferenceAccount, 'takedownRef' | 'deactivatedAt'>): RepoStatus | undefined {
  if (takedownRef !== null) return 'takendown'
  return deactivatedAt === null ? undefined : 'deactivated'
}

const GRACE_MS = 30 * 24 * 3_600_000

/**
 * The reference writes down when to delete an account, and never does it. What is overdue there should not go the moment
 * that somebody begins to keep that word: it gets a month more. A time that cannot be read means never.
 */
function deleteAfterOf(text: string | null, nowMs: number): number | null {
  const time = text === null ? Number.NaN : Date.parse(text)
  if (Number.isNaN(time)) return null
  return time > nowMs ? time : nowMs + GRACE_MS
}

/** An account whose handle went to somebody else has none there; here it gets one that can never resolve. */
export function handleOf({ did, handle }: Pick<ReferenceAccount, 'did' | 'handle'>): string {
  if (handle !== null && isHandle(handle)) return normalizeHandle(handle)
  return `${did.slice(did.lastIndexOf(':') + 1).replace(/[^a-z0-9-]/g, '-')}.${INVALID_HANDLE}`
}

function hashOf(passwordScrypt: string): string {
  try {
    return passwordFromReference(passwordScrypt)
  } catch (cause) {
    throw new CorruptAccountError((cause as Error).message, { cause })
  }
}
