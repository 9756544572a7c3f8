import type { LogEntry, ReadableLog } from '@imago/log'
import { sequencedEntry } from './http/operation-json.ts'
import type { PlcStore, StoredOperation } from './store/plc-store.ts'

const DEFAULT_READ_ENTRIES = 1000

/**
 * The operations of a store as the log that its streams follow: numbered, durable and never pruned. An entry's payload
 * is its frame, as JSON.
 */
export async function openOperationLog(store: PlcStore): Promise<ReadableLog> {
  let head = (await store.latest())?.seq ?? 0
  return {
    get head() {
      return head
    },
    oldest: 1,
    async read(after, { entries = DEFAULT_READ_ENTRIES, bytes = Number.POSITIVE_INFINITY } = {}) {
      const found: LogEntry[] = []
      let length = 0
      for (const operation of await store.page({ seq: after }, entries)) {
        if (length >= bytes) break
        const entry = entryOf(operation)
        length += entry.payload.length
        found.push(entry)
      }
      return found
    },
    subscribe: (listener) =>
      store.subscribe((operations) => {
        head = operations.at(-1)!.seq
        listener(operations.map(entryOf))
      }),
  }
}

const entryOf = (operation: StoredOperation): LogEntry => ({
  seq: operation.seq,
  key: operation.did,
  payload: Buffer.from(sequencedEntry(operation)),
})
