import { judgeOperation, normalizeOperation, type Operation, operationCid } from '@imago/identity/plc'
import type { PlcStore, Replayed } from '../store/plc-store.ts'
import type { SignaturePool } from './signature-pool.ts'
import { isUnreadable, readUpstreamLine, type UnreadableLine } from './upstream-line.ts'

/** What became of some lines. */
export interface ReplayCounts {
  readonly accepted: number
  /** There already: lines may be told more than once. */
  readonly known: number
  /** Operations that do not follow from the history before them. */
  readonly refused: number
  /** Operations that were not there, told with a number that is past. */
  readonly outOfOrder: number
  readonly unreadable: number
  /** Number of the last line that has one; `undefined` for none. */
  readonly lastSeq: number | undefined
}

/**
 * Takes lines of an upstream into the store: each is validated as if nobody had seen it before. What may not enter is
 * kept as evidence, and stops nothing.
 */
export async function replayLines(
  store: PlcStore,
  pool: SignaturePool,
  lines: readonly string[],
): Promise<ReplayCounts> {
  const read = lines.map(readUpstreamLine)
  const batch = read.filter((line): line is Replayed => !isUnreadable(line))
  const unreadable = read.filter(isUnreadable)
  for (const { did, seq, text, reason } of unreadable)
    await store.keepEvidence({ did, seq, json: text, reason })

  const signers = await signersOf(store, pool, batch)
  const outcomes = await store.replay(batch, (log, { operation, createdAt }) =>
    judgeOperation(log, operation, createdAt, () => signers.get(operation) ?? -1),
  )
  for (const [i, outcome] of outcomes.entries())
    if (outcome.kind === 'outOfOrder') {
      const { did, seq, operation } = batch[i]!
      const reason = `told as number ${seq} after number ${outcome.latestSeq}`
      await store.keepEvidence({ did, seq, json: JSON.stringify(operation), reason })
    }
  const count = (kind: (typeof outcomes)[number]['kind']) =>
    outcomes.filter((outcome) => outcome.kind === kind).length
  return {
    accepted: count('accepted'),
    known: count('known'),
    refused: count('refused'),
    outOfOrder: count('outOfOrder'),
    unreadable: unreadable.length,
    lastSeq: read.findLast(({ seq }: Replayed | UnreadableLine) => seq > 0)?.seq,
  }
}

/** Which key signed each operation: found in parallel, because the keys are known before anything is judged. */
async function signersOf(
  store: PlcStore,
  pool: SignaturePool,
  batch: readonly Replayed[],
): Promise<ReadonlyMap<Operation, number>> {
  const inBatch = new Map(batch.map(({ operation }) => [operationCid(operation).toString(), operation]))
  const items = await Promise.all(
    batch.map(async ({ did, operation }) => {
      const parent =
        operation.prev === null
          ? operation
          : (inBatch.get(operation.prev) ?? (await find(did, operation.prev)))
      const keys = parent === undefined ? [] : (normalizeOperation(parent)?.rotationKeys ?? [])
      return { keys, operation }
    }),
  )
  const found = await pool.findSigners(items)
  return new Map(items.map(({ operation }, i) => [operation, found[i]!]))

  async function find(did: string, cid: string): Promise<Operation | undefined> {
    const stored = (await store.operations(did)).find((one) => one.cid === cid)
    return stored && (JSON.parse(stored.json) as Operation)
  }
}
