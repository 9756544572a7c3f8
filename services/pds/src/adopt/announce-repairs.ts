import type { DatabaseSync } from 'node:sqlite'
import { Cid } from '@imago/data'
import { openSqliteLog } from '@imago/log/sqlite'
import type { Tid } from '@imago/syntax'
import { entryOf, syncEvent } from '../events/events.ts'
import { EVENT_TABLE } from '../events/sequence.ts'
import type { AdoptionJournal } from './adoption-journal.ts'

interface Row {
  head: Uint8Array
  rev: Tid
  commit_bytes: Uint8Array
}

/** Tells the stream where those repositories stand of which it said something else last. Each is told of once. */
export async function announceRepairs(
  { sqlite, journal }: { sqlite: DatabaseSync; journal: AdoptionJournal },
  now: () => number,
): Promise<void> {
  await using log = openSqliteLog(sqlite, { table: EVENT_TABLE, now })
  const select = sqlite.prepare('SELECT head, rev, commit_bytes FROM repo WHERE did = ? AND status IS NULL')
  for (const { did, state, must_announce } of journal.list()) {
    if (state !== 'adopted' || must_announce === 0) continue
    const row = select.get(did) as Row | undefined
    // Of an account that is not active, nothing is announced: its activation will.
    if (row === undefined) continue
    const { head, rev, commit_bytes: bytes } = row
    sqlite.exec('BEGIN IMMEDIATE')
    log.appendInTransaction([entryOf(did, syncEvent(did, { cid: new Cid(head), rev, bytes }, now()))])
    journal.announced(did)
    sqlite.exec('COMMIT')
    log.publish([])
  }
}
