import { setImmediate as nextTurn } from 'node:timers/promises'
import { importKeypair } from '@imago/crypto'
import { Cid } from '@imago/data'
import type { LogEntry, NewEntry } from '@imago/log'
import type { SqliteLog } from '@imago/log/sqlite'
import { signCommit } from '@imago/repo'
import type { Did, Handle, Tid, TidClock } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import { accountEvent, entryOf, identityEvent, syncEvent } from '../events/events.ts'
import type { RepoStatus } from '../repos/repo-store.ts'

/** The row of `config` by which a restore says that repositories may have moved back. */
export const PENDING_REANNOUNCEMENT = 'reannouncement'

/** Repositories are taken in order of their ids. */
export interface PendingReannouncement {
  /** All up to this one are done. */
  readonly after: number
  /** Later ones were made since. */
  readonly last: number
  /** Milliseconds since the Unix epoch. */
  readonly restoredAt: number
}

const BATCH = 200

interface Row {
  readonly id: number
  readonly did: Did
  readonly rev: Tid
  readonly data: Uint8Array
  readonly signing_key: Uint8Array
  readonly status: RepoStatus | null
  readonly handle: Handle | null
}

/**
 * Announces every repository anew after a restore. The world may have seen revisions and events that the backup has
 * not: each repository gets a commit of the same tree with a revision of now, beyond any that was ever given, and the
 * stream says where it stands (#sync), so that readers fetch it. Those that are not served get the commit, too, for the
 * day that they are, and no #sync.
 *
 * Each batch is one transaction that also says how far it came: whatever breaks off, the next start goes on there. Runs
 * before the server answers, so that no write comes in between. Does nothing where nothing was restored.
 *
 * @returns how many repositories were announced.
 * @throws {Error} when the clock is behind the restore: revisions made by it would be refused as old.
 * @see https://atproto.com/specs/sync#sync-event
 */
export async function reannounceRestored(options: {
  database: Database
  log: Pick<SqliteLog, 'appendInTransaction' | 'publish'>
  clock: TidClock
  /** Milliseconds since the Unix epoch. */
  now: () => number
}): Promise<number> {
  const { database, log, clock, now } = options
  const { sqlite } = database
  const selectPending = sqlite.prepare('SELECT value FROM config WHERE name = ?')
  const updatePending = sqlite.prepare('UPDATE config SET value = ? WHERE name = ?')
  const deletePending = sqlite.prepare('DELETE FROM config WHERE name = ?')
  const selectBatch = sqlite.prepare(
    `SELECT repo.id, repo.did, rev, data, signing_key, status, handle
      FROM repo LEFT JOIN account ON account.did = repo.did
      WHERE repo.id > ? AND repo.id <= ? ORDER BY repo.id LIMIT ${BATCH}`,
  )
  const moveHead = sqlite.prepare('UPDATE repo SET head = ?, rev = ?, commit_bytes = ? WHERE id = ?')

  function moveForward({ id, did, rev, data, signing_key, status, handle }: Row): NewEntry[] {
    const signed = signCommit(
      { did, data: new Cid(data), rev: clock.next(rev) },
      importKeypair('k256', signing_key),
    )
    const { cid, bytes, commit } = signed
    moveHead.run(cid.bytes, commit.rev, bytes, id)
    const at = now()
    const events = [identityEvent(did, handle ?? undefined, at), accountEvent(did, status ?? undefined, at)]
    if (status === null) events.push(syncEvent(did, { cid, rev: commit.rev, bytes }, at))
    return events.map((event) => entryOf(did, event))
  }

  function announceBatch(pending: PendingReannouncement): number {
    const { after, last, restoredAt } = pending
    assertClock(now(), restoredAt)
    let entries: readonly LogEntry[] = []
    const count = database.transaction(() => {
      const rows = selectBatch.all(after, last) as unknown as Row[]
      entries = log.appendInTransaction(rows.flatMap(moveForward))
      if (rows.length < BATCH) deletePending.run(PENDING_REANNOUNCEMENT)
      else updatePending.run(JSON.stringify({ ...pending, after: rows.at(-1)!.id }), PENDING_REANNOUNCEMENT)
      return rows.length
    })
    log.publish(entries)
    return count
  }

  for (let announced = 0; ; await nextTurn()) {
    const row = selectPending.get(PENDING_REANNOUNCEMENT) as { value: string } | undefined
    if (row === undefined) return announced
    announced += announceBatch(JSON.parse(row.value))
  }
}

function assertClock(nowMs: number, restoredAt: number): void {
  if (nowMs >= restoredAt) return
  const [clock, restore] = [nowMs, restoredAt].map((ms) => new Date(ms).toISOString())
  throw new Error(
    `the clock says ${clock}, and this server was restored at ${restore}: set the clock, or the network will refuse what the server signs as old`,
  )
}
