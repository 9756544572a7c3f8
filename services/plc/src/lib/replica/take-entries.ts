import { operationCid } from '@imago/identity/plc'
import type { AsideOperation, PlcStore, Replayed, ReplayedNotice } from '../store/plc-store.ts'
import type { EnteredNotice, UnreadableEntry } from './read-entry.ts'
import type { ReplayCounts } from './replay-lines.ts'
import { countOutcomes, replayOperations, type Signers, signersOf } from './replay-operations.ts'
import type { SignaturePool } from './signature-pool.ts'

/** What is taken together: one transaction, and one round of the pool. */
const BATCH_ENTRIES = 1024
/** Refused operations that are remembered, should a notice speak of them: more than were ever withdrawn anywhere. */
const MAX_REMEMBERED = 20_000

/** Takes entries of a log into a store, in their order. */
export interface EntryTaker {
  take(entry: Replayed | EnteredNotice | UnreadableEntry): Promise<void>
  /** Resolves when everything so far is in the store. */
  flush(): Promise<void>
}

/**
 * Collects batches: while one enters the store, the signatures of the next are verified.
 * @param options.onTaken is told of each batch that is in the store.
 */
export function createEntryTaker(options: {
  readonly store: PlcStore
  readonly pool: SignaturePool
  readonly onTaken: (counts: ReplayCounts) => void
}): EntryTaker {
  const { store, pool, onTaken } = options
  let batch: (Replayed | ReplayedNotice)[] = []
  let unreadable = 0
  let entering: { readonly batch: typeof batch; readonly signers: Promise<Signers> } | undefined
  /** In the log of a directory stands what it took, and withdrew: a notice comes after what it is about. */
  const refused = new Map<string, AsideOperation[]>()

  async function enter(): Promise<void> {
    if (entering === undefined) return
    const { batch, signers } = entering
    entering = undefined
    const outcomes = await replayOperations(store, batch, await signers)
    for (const [i, outcome] of outcomes.entries()) {
      const one = batch[i]!
      if (outcome.kind === 'refused' && 'operation' in one && refused.size < MAX_REMEMBERED)
        refused.set(one.did, [...(refused.get(one.did) ?? []), asideOf(one, outcome.error)])
    }
    onTaken({ ...countOutcomes(outcomes), unreadable, lastSeq: batch.at(-1)!.seq })
    unreadable = 0
  }

  async function pass(): Promise<void> {
    const next = { batch, signers: signersOf(store, pool, batch, entering?.batch) }
    batch = []
    next.signers.catch(() => {})
    await enter()
    entering = next
  }

  async function flush(): Promise<void> {
    if (batch.length > 0) await pass()
    await enter()
  }

  return {
    async take(entry) {
      if ('json' in entry) {
        await store.keepEvidence(entry)
        unreadable++
        return
      }
      if ('operation' in entry) batch.push(entry)
      else {
        await flush()
        batch.push({ ...entry, told: refused.get(entry.did) ?? [] })
        refused.delete(entry.did)
      }
      if (batch.length === BATCH_ENTRIES) await pass()
    },
    flush,
  }
}

const asideOf = (
  { did, operation, seq, createdAt }: Replayed,
  error: { readonly code: string; readonly message: string },
): AsideOperation => ({
  seq,
  did,
  cid: operationCid(operation).toString(),
  json: JSON.stringify(operation),
  nullified: false,
  createdAt,
  rule: error.code as AsideOperation['rule'],
  fault: error.message,
})
