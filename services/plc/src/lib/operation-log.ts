import type { LogEntry, ReadableLog } from '@imago/log'
import { type HistoryEvent, historyPage, inOrder, isWithdrawal } from './history-page.ts'
import { sequencedEntry, withdrawalEntry } from './http/operation-json.ts'
import type { PlcStore } from './store/plc-store.ts'

const DEFAULT_READ_ENTRIES = 1000

/**
 * The operations of a store as the log that its streams follow: numbered, durable and never pruned. An entry's key is the
 * CID of its operation; its payload is its frame, as JSON.
 * @param withNotices Notices have entries, too. Otherwise their numbers are gaps.
 */
export async function openOperationLog(store: PlcStore, withNotices = false): Promise<ReadableLog> {
  let head = (await store.latest())?.seq ?? 0
  const eventsBehind = (after: number, limit: number): Promise<readonly HistoryEvent[]> =>
    withNotices ? historyPage(store, after, limit) : store.page({ seq: after }, limit)
  return {
    get head() {
      return head
    },
    oldest: 1,
    async read(after, { entries = DEFAULT_READ_ENTRIES, bytes = Number.POSITIVE_INFINITY } = {}) {
      const found: LogEntry[] = []
      let length = 0
      for (const event of await eventsBehind(after, entries)) {
        if (length >= bytes) break
        const entry = entryOf(event)
        length += entry.payload.length
        found.push(entry)
      }
      return found
    },
    subscribe: (listener) =>
      store.subscribe((operations, withdrawals) => {
        head = Math.max(operations.at(-1)?.seq ?? 0, withdrawals.at(-1)?.seq ?? 0)
        const events = withNotices ? inOrder(operations, withdrawals) : operations
        if (events.length > 0) listener(events.map(entryOf))
      }),
  }
}

const entryOf = (event: HistoryEvent): LogEntry => ({
  seq: event.seq,
  key: event.cid,
  payload: Buffer.from(isWithdrawal(event) ? withdrawalEntry(event) : sequencedEntry(event)),
})
