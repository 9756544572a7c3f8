import type { Cid } from '@imago/data'
import { diffData, type PlcChange } from './diff-data.ts'
import { normalizeOperation } from './operation.ts'
import { type LogEntry, type PlcLog, RECOVERY_WINDOW_MS } from './plc-log.ts'

/** One operation of a DID, told for people. */
export interface ExplainedOperation {
  readonly entry: LogEntry
  /** `recovery`: it undid others. */
  readonly kind: 'genesis' | 'update' | 'recovery' | 'tombstone'
  /** What it changed against the operation before it in its own chain. */
  readonly changes: readonly PlcChange[]
  readonly signedBy: {
    readonly key: string
    /** Rank among the keys that could sign, from 0: the strongest. */
    readonly position: number
    /** How many could. */
    readonly of: number
  }
  /** CIDs of the operations that it undid. */
  readonly undid: readonly Cid[]
  /** Why it does not hold any more; `undefined` while it does. */
  readonly undone:
    | {
        readonly by: Cid
        readonly byKey: string
        readonly byPosition: number
        /** Milliseconds from the first operation that the recovery undid to the recovery. */
        readonly afterMs: number
        /** It was signed in good faith or not, but what it followed was undone: only the first of them was disputed. */
        readonly isConsequence: boolean
      }
    | undefined
  /** Keys that outrank the one that signed it: they can undo it until `disputableUntil`. */
  readonly strongerKeys: readonly string[]
  /** Milliseconds since the Unix epoch; the last millisecond counts. */
  readonly disputableUntil: number
}

/**
 * The history of a DID with its reasons: what each operation changed, who signed it, what undid it and why that was
 * allowed. In the order of the log.
 * @param log validated, as `validateLog` and `acceptOperation` leave it.
 */
export function explainLog(log: PlcLog): ExplainedOperation[] {
  const { entries } = log
  const undoneBy = new Map<LogEntry, { recovery: LogEntry; disputed: LogEntry }>()
  const undidOf = new Map<LogEntry, LogEntry[]>()
  // What an operation undid: everything that held when it came, behind the one that it follows.
  const holding: LogEntry[] = []
  for (const entry of entries) {
    const parentAt = holding.findIndex(({ cid }) => cid.toString() === entry.operation.prev)
    const undid = holding.splice(parentAt + 1)
    undidOf.set(entry, undid)
    for (const one of undid) undoneBy.set(one, { recovery: entry, disputed: undid[0]! })
    holding.push(entry)
  }
  return entries.map((entry) => explain(entry, entries, undidOf.get(entry)!, undoneBy.get(entry)))
}

function explain(
  entry: LogEntry,
  entries: readonly LogEntry[],
  undid: readonly LogEntry[],
  undone: { recovery: LogEntry; disputed: LogEntry } | undefined,
): ExplainedOperation {
  const { operation, signer, createdAt } = entry
  const keys = keysOf(entry, entries)
  const parent = parentOf(entry, entries)
  return {
    entry,
    kind: kindOf(entry, undid),
    changes: diffData(parent && normalizeOperation(parent.operation), normalizeOperation(operation)),
    signedBy: { key: keys[signer]!, position: signer, of: keys.length },
    undid: undid.map(({ cid }) => cid),
    undone: undone && {
      by: undone.recovery.cid,
      byKey: keysOf(undone.recovery, entries)[undone.recovery.signer]!,
      byPosition: undone.recovery.signer,
      afterMs: undone.recovery.createdAt - undone.disputed.createdAt,
      isConsequence: undone.disputed !== entry,
    },
    strongerKeys: parent === undefined ? [] : keys.slice(0, signer),
    disputableUntil: createdAt + RECOVERY_WINDOW_MS,
  }
}

function kindOf({ operation }: LogEntry, undid: readonly LogEntry[]): ExplainedOperation['kind'] {
  if (operation.prev === null) return 'genesis'
  if (undid.length > 0) return 'recovery'
  return operation.type === 'plc_tombstone' ? 'tombstone' : 'update'
}

const parentOf = ({ operation }: LogEntry, entries: readonly LogEntry[]): LogEntry | undefined =>
  operation.prev === null ? undefined : entries.find(({ cid }) => cid.toString() === operation.prev)

/** The keys that could sign an operation: those of the one that it follows, or its own for a genesis. */
function keysOf(entry: LogEntry, entries: readonly LogEntry[]): readonly string[] {
  const from = parentOf(entry, entries) ?? entry
  return normalizeOperation(from.operation)?.rotationKeys ?? []
}
