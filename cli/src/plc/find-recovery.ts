import type { Keypair } from '@imago/crypto'
import { type ExplainedOperation, explainLog, type LogEntry, type PlcLog } from '@imago/identity/plc'

/** An operation that a key can undo now. */
export interface Recovery {
  /** The first operation that would be undone, and all that followed it. */
  readonly disputed: ExplainedOperation
  readonly undone: readonly ExplainedOperation[]
  /** The operation that the recovery would follow: the last good one. */
  readonly lastGood: LogEntry
  /** Rank of the recovering key, from 0: lower than that of the key that signed the disputed operation. */
  readonly position: number
  /** Milliseconds that are left. */
  readonly remainingMs: number
}

/**
 * What a key can undo now, the oldest operation first.
 * @param now milliseconds since the Unix epoch.
 */
export function findRecoveries(log: PlcLog, { didKey }: Keypair, now: number): Recovery[] {
  const holding = explainLog(log).filter(({ undone }) => undone === undefined)
  return holding.slice(1).flatMap((disputed, i) => {
    const position = disputed.strongerKeys.indexOf(didKey)
    const remainingMs = disputed.disputableUntil - now
    if (position < 0 || remainingMs < 0) return []
    return [{ disputed, undone: holding.slice(i + 1), lastGood: holding[i]!.entry, position, remainingMs }]
  })
}
