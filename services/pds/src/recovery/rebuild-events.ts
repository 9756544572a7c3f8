import type { NewEntry } from '@imago/log'
import { accountEvent, entryOf, syncEvent } from '../events/events.ts'
import type { AccountRepair } from './account-repair.ts'
import { readEvent } from './event-summary.ts'
import type { RepairedHead } from './rebuild-head.ts'
import { type EventRow, eventsOf } from './repo-tables.ts'
import type { Told } from './verify-events.ts'

/**
 * Takes away the events of an account that no reader could use.
 * @returns what those that are left have told last.
 */
export function repairEvents(repair: AccountRepair): Told & { readonly complete: boolean } {
  const { sql, did } = repair
  const unusable: { row: EventRow; reason: string }[] = []
  let head: Told['head']
  let account: Told['account']
  for (const row of eventsOf(sql, did)) {
    try {
      const event = readEvent(row)
      if (event.kind === 'account') account = event
      if (event.kind !== 'head') continue
      if (
        head !== undefined &&
        (event.rev < head.rev || (event.rev === head.rev && !event.cid.equals(head.cid)))
      )
        unusable.push({ row, reason: `it announces ${event.rev} after ${head.rev}` })
      else head = event
    } catch (error) {
      unusable.push({ row, reason: (error as Error).message })
    }
  }
  for (const { row, reason } of unusable) {
    repair.quarantine('event', [row], reason)
    sql.prepare('DELETE FROM event WHERE seq = ?').run(row.seq)
    repair.mended(`event ${row.seq} was put aside: ${reason}`)
  }
  return { head, account, complete: unusable.length === 0 }
}

/** What the stream still has to be told, so that it says what is. */
export function missingEvents(
  { did, repo, now, mended }: AccountRepair,
  head: RepairedHead | undefined,
  told: ReturnType<typeof repairEvents>,
  status: NonNullable<typeof repo.status> | undefined,
): NewEntry[] {
  const events: NewEntry[] = []
  if (told.account !== undefined && told.account.status !== status) {
    events.push(entryOf(did, accountEvent(did, status, now())))
    mended(`the stream is told that the account is ${status ?? 'active'}`)
  }
  // Without an event of the replay window, a head that did not change was announced before it.
  const isKnown =
    told.head === undefined ? told.complete && head?.rev === repo.rev : head?.cid.equals(told.head.cid)
  if (head !== undefined && status === undefined && !isKnown) {
    events.push(entryOf(did, syncEvent(did, head, now())))
    mended(`the stream is told of revision ${head.rev}`)
  }
  return events
}
