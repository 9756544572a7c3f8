import type { DatabaseSync } from 'node:sqlite'
import { type Did, isTid, type Tid } from '@imago/syntax'
import { decodedEvent } from './decoded-event.ts'

/**
 * The revision of an account that the reference's stream spoke of last; `undefined` when it speaks of none.
 *
 * The reference puts an event into one database, and the commit that it announces into another: a crash between the two
 * leaves readers of the stream with a revision that the repository does not have, or without the one that it has.
 */
export function createAnnouncedRevs(sequencer: DatabaseSync): (did: Did) => Tid | undefined {
  const select = sequencer.prepare(
    `SELECT event FROM repo_seq INDEXED BY repo_seq_did_idx
      WHERE did = ? AND eventType IN ('append', 'sync') AND invalidated = 0 ORDER BY seq DESC LIMIT 1`,
  )
  return (did) => {
    const row = select.get(did) as { event: Uint8Array } | undefined
    if (row === undefined) return undefined
    const rev = decodedEvent(row.event)?.['rev']
    return isTid(rev) ? rev : undefined
  }
}
