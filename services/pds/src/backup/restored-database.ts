import { type Database, openDatabase } from '../database/database.ts'
import { jumpSequence, sequenceAfterRestore } from '../events/sequence.ts'
import { BackupError } from './backup-error.ts'
import { PENDING_REANNOUNCEMENT, type PendingReannouncement } from './reannounce.ts'

/** More than any server can have given away in a second. Numbers are not scarce: there are 2⁵³. */
const MAX_EVENTS_PER_SECOND = 100_000
/** For clocks that are a little off. */
const SLACK_EVENTS = 10_000_000

/**
 * A number beyond any that the server can have given away since the backup: readers of the stream may have seen what
 * the backup has not, and would take a number that comes a second time for old.
 *
 * @param sequence the last number in the backup.
 * @see https://atproto.com/specs/event-stream#sequence-numbers
 */
export function sequenceAfter(sequence: number, createdAt: number, now: number): number {
  const given = SLACK_EVENTS + Math.ceil((now - createdAt) / 1000) * MAX_EVENTS_PER_SECOND
  return Math.max(sequence + given, sequenceAfterRestore(sequence, now))
}

export interface PreparedDatabase {
  /** Nothing up to and including this number will be given. */
  readonly sequence: number
  readonly accounts: number
  readonly endedSessions: number
}

/**
 * Makes the database of a backup one that a server can go on with: of the schema of this version, with numbers that go
 * on beyond all that were given, and every repository to be announced anew at the next start. Sessions end, since those
 * that were ended after the backup would come to life again.
 *
 * @param options.sequence the number to go on after, at least.
 * @param options.now milliseconds since the Unix epoch.
 * @throws {BackupError} `TooNew`
 */
export function prepareDatabase(
  file: string,
  { sequence, keepSessions, now }: { sequence: number; keepSessions: boolean; now: number },
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
    const ended = keepSessions ? 0 : sqlite.prepare('DELETE FROM refresh_token').run().changes
    return { sequence: after, accounts, endedSessions: Number(ended) }
  })
  sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return prepared
}

/** What SQLite itself does not say is said by us: that a newer version wrote the file. */
function openRestored(file: string): Database {
  try {
    return openDatabase(file)
  } catch (cause) {
    if (!(cause instanceof Error) || 'errcode' in cause) throw cause
    throw new BackupError('TooNew', cause.message, { cause })
  }
}
