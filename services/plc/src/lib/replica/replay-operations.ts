import { judgeOperation, normalizeOperation, type Operation, operationCid } from '@imago/identity/plc'
import type { PlcStore, Replayed, ReplayedNotice, ReplayOutcome } from '../store/plc-store.ts'
import type { SignaturePool } from './signature-pool.ts'

/** What became of some operations. */
export interface OperationCounts {
  readonly accepted: number
  /** Notices that were followed. */
  readonly withdrawn: number
  /** There already: operations may be told more than once. */
  readonly known: number
  /** Operations that do not follow from the history before them, and notices about what may stand. */
  readonly refused: number
  /** Operations that were not there, told with a number that is past. */
  readonly outOfOrder: number
}

/** Which key signed each operation, by its position; -1 for none of those that were allowed to. */
export type Signers = ReadonlyMap<Operation, number>

/**
 * Takes operations and notices into the store: each operation is validated as if nobody had seen it before. What may not
 * enter is kept as evidence, and stops nothing.
 * @returns what became of each, in order.
 */
export async function replayOperations(
  store: PlcStore,
  batch: readonly (Replayed | ReplayedNotice)[],
  signers: Signers,
): Promise<readonly ReplayOutcome[]> {
  const outcomes = await store.replay(batch, (log, { operation, createdAt }) =>
    judgeOperation(log, operation, createdAt, () => signers.get(operation) ?? -1),
  )
  for (const [i, outcome] of outcomes.entries())
    if (outcome.kind === 'outOfOrder') {
      const one = batch[i]!
      const { did, seq } = one
      const reason = `told as number ${seq} after number ${outcome.latestSeq}`
      const json = JSON.stringify('operation' in one ? one.operation : one)
      await store.keepEvidence({ did, seq, json, reason })
    }
  return outcomes
}

export function countOutcomes(outcomes: readonly ReplayOutcome[]): OperationCounts {
  const counts = { accepted: 0, withdrawn: 0, known: 0, refused: 0, outOfOrder: 0 }
  for (const { kind } of outcomes) counts[kind]++
  return counts
}

/**
 * Which key signed each operation: found in parallel, because the keys are known before anything is judged.
 * @param before operations that will be in the store by then, and are not yet.
 */
export async function signersOf(
  store: Pick<PlcStore, 'operations'>,
  pool: SignaturePool,
  batch: readonly (Replayed | ReplayedNotice)[],
  before: readonly (Replayed | ReplayedNotice)[] = [],
): Promise<Signers> {
  const operations = batch.filter(isOperation)
  const atHand = new Map(
    [...before.filter(isOperation), ...operations].map(({ operation }) => [
      operationCid(operation).toString(),
      operation,
    ]),
  )
  const items = await Promise.all(
    operations.map(async ({ did, operation }) => {
      const parent =
        operation.prev === null
          ? operation
          : (atHand.get(operation.prev) ?? (await find(did, operation.prev)))
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

const isOperation = (one: Replayed | ReplayedNotice): one is Replayed => 'operation' in one
