import type { PlcStore, Replayed, ReplayedNotice } from '../store/plc-store.ts'
import { countOutcomes, type OperationCounts, replayOperations, signersOf } from './replay-operations.ts'
import type { SignaturePool } from './signature-pool.ts'
import { isUnreadable, readUpstreamLine } from './upstream-line.ts'

/** What became of some lines. */
export interface ReplayCounts extends OperationCounts {
  readonly unreadable: number
  /** Number of the last line that has one; `undefined` for none. */
  readonly lastSeq: number | undefined
}

/** Takes lines of an upstream into the store, as {@link replayOperations} does; what cannot be read is evidence, too. */
export async function replayLines(
  store: PlcStore,
  pool: SignaturePool,
  lines: readonly string[],
): Promise<ReplayCounts> {
  const read = lines.map(readUpstreamLine)
  const batch = read.filter((line): line is Replayed | ReplayedNotice => !isUnreadable(line))
  const unreadable = read.filter(isUnreadable)
  for (const { did, seq, text, reason } of unreadable)
    await store.keepEvidence({ did, seq, json: text, reason })
  return {
    ...countOutcomes(await replayOperations(store, batch, await signersOf(store, pool, batch))),
    unreadable: unreadable.length,
    lastSeq: read.findLast(({ seq }) => seq > 0)?.seq,
  }
}
