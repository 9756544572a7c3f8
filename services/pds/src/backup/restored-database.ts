import type { DatabaseSync } from 'node:sqlite'
import { type Database, openDatabase } from '../database/database.ts'
import { writeRestored } from '../database/restored-state.ts'
import { jumpSequence } from '../events/sequence.ts'
import { BackupError } from './backup-error.ts'
import { PENDING_REANNOUNCEMENT, type PendingReannouncement } from './reannounce.ts'

export interface PreparedDatabase {
  /** Nothing up to and including this number will be given. */
  readonly sequence: number
  readonly accounts: number
  readonly endedSessions: number
  /** App passwords that open accounts: those of the backup, unless they were ended. */
  readonly appPasswords: number
  /** Accounts that wait for their deletion, and were given more time. */
  readonly postponedDeletions: number
}

export interface PrepareOptions {
  /** The number to go on after, at least. */
  readonly sequence: number
  readonly keepSessions: boolean
  readonly endAppPasswords: boolean
  /** Times in milliseconds since the Unix epoch. */
  readonly backupAt: number
  readonly now: number
}

/** Until then, who came back after the backup can come back once more. */
const DELETION_GRACE_MS = 30 * 24 * 3_600_000

/** Rows of OAuth that came with a takeover: what stands for somebody who has signed in. */
const OAUTH_SESSIONS = `name IN ('token', 'authorization_request', 'device_account', 'account_device')`

/**
 * Makes the database of a backup one that a server can go on with: of the schema of this version, with numbers that go
 * on beyond all that were given, and every repository to be announced anew at the next start. What was withdrawn after
 * the backup must not come to life again where that can be had: sessions end, and codes sent by mail. What was put off
 * must not be overtaken: deletions, reserved keys and uploads get their time anew.
 * @throws {BackupError} `TooNew`
 */
export function prepareDatabase(
  file: string,
  { sequence, keepSessions, endAppPasswords, backupAt, now }: PrepareOptions,
): PreparedDatabase {
  using database = openRestored(file)
  const { sqlite } = database
  const { after } = jumpSequence(database, sequence)
  const prepared = database.transaction(() => {
    const repos = sqlite.prepare('SELECT count(*) AS accounts, coalesce(max(id), 0) AS last FROM repo')
    const { accounts, last } = repos.get() as { accounts: number; last: number }
    const pending: PendingReannouncement = { after: 0, last, restoredAt: now }
    sqlite
      .prepare('INSERT OR REPLACE INTO config (name, value) VALUES (?, ?)')
      .run(PENDING_REANNOUNCEMENT, JSON.stringify(pending))
    writeRestored(sqlite, { backupAt, restoredAt: now })
    return {
      sequence: after,
      accounts,
      endedSessions: keepSessions ? 0 : endSessions(sqlite),
      appPasswords: appPasswords(sqlite, endAppPasswords),
      postponedDeletions: renewTimes(sqlite, now),
    }
  })
  sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return prepared
}

function endSessions(sqlite: DatabaseSync): number {
  sqlite.exec(`DELETE FROM adopted WHERE ${OAUTH_SESSIONS}`)
  return Number(sqlite.prepare('DELETE FROM refresh_token').run().changes)
}

/** @returns how many are left. Sessions that hang on them end with the others. */
function appPasswords(sqlite: DatabaseSync, end: boolean): number {
  if (end) sqlite.exec('DELETE FROM app_password; DELETE FROM refresh_token WHERE app_password IS NOT NULL')
  return (sqlite.prepare('SELECT count(*) AS n FROM app_password').get() as { n: number }).n
}

/** @returns how many deletions were put off. */
function renewTimes(sqlite: DatabaseSync, now: number): number {
  // Each was used, has lapsed, or can be asked for again.
  sqlite.exec('DELETE FROM email_token')
  // Its account may have been made with it after the backup: then the key is what its DID document names.
  sqlite.prepare('UPDATE reserved_key SET reserved_at = ?').run(now)
  // A blob that was to be removed may have been uploaded again; what nobody wants is found by its age.
  sqlite.exec('DELETE FROM blob_trash WHERE did IN (SELECT did FROM repo)')
  const until = now + DELETION_GRACE_MS
  return Number(
    sqlite.prepare('UPDATE account SET delete_after = ?1 WHERE delete_after < ?1').run(until).changes,
  )
}

/** What SQLite itself does not say is said by us: that a newer version wrote the file. */
export function openRestored(file: string): Database {
  try {
    return openDatabase(file)
  } catch (cause) {
    if (!(cause instanceof Error) || 'errcode' in cause) throw cause
    throw new BackupError('TooNew', cause.message, { cause })
  }
}
