import { parseCid } from '@imago/data'
import type { DidPlc, LogEntry } from '@imago/identity/plc'
import { logEntryOf, type PlcLogEntry } from '../transparency/log-entry.ts'
import { entryOfRow, type OperationRow, operationOfJson } from './judge-batch.ts'
import type { AsideOperation, Notice } from './plc-store.ts'
import type { WrittenInReplay } from './replay-batch.ts'

/** An entry of the log, and the number of its operation or notice in this store. */
export interface SequencedEntry {
  readonly seq: number
  readonly entry: PlcLogEntry
}

/** What becomes an entry of the log, and how. */
export interface SequencedEntries {
  ofOperation(seq: number, did: DidPlc, entry: LogEntry): SequencedEntry
  ofRow(row: OperationRow): SequencedEntry
  ofNotice(notice: Notice): SequencedEntry
  ofAside(operation: AsideOperation): SequencedEntry
  ofWritten(written: WrittenInReplay): SequencedEntry
}

/** @param isReplica operations have their numbers from another directory: entries say which. */
export function createSequencedEntries(isReplica: boolean): SequencedEntries {
  const numberElsewhere = (seq: number) => isReplica && { upstreamSeq: seq }

  const ofOperation: SequencedEntries['ofOperation'] = (seq, did, { cid, operation, createdAt }) => ({
    seq,
    entry: logEntryOf({ did, cid, operation, createdAt, ...numberElsewhere(seq) }),
  })

  const ofNotice: SequencedEntries['ofNotice'] = ({ seq, did, cid, reason, createdAt }) => ({
    seq,
    entry: { kind: 'withdrawal', did, cid: parseCid(cid), reason, createdAt, ...numberElsewhere(seq) },
  })

  const ofAside: SequencedEntries['ofAside'] = ({ seq, did, cid, json, createdAt }) => ({
    seq,
    entry: logEntryOf({
      did: did as DidPlc,
      cid: parseCid(cid),
      operation: operationOfJson(json),
      createdAt,
      ...numberElsewhere(seq),
    }),
  })

  return {
    ofOperation,
    ofRow: (row) => ofOperation(row.seq, row.did as DidPlc, entryOfRow(row)),
    ofNotice,
    ofAside,
    ofWritten(one) {
      if (one.kind === 'operation') return ofOperation(one.seq, one.did, one.verdict.entry)
      return one.kind === 'aside' ? ofAside(one.operation) : ofNotice(one.withdrawal.withdrawal)
    },
  }
}

/** The first so many of some entries, by number. */
export const firstInOrder = (entries: readonly SequencedEntry[], count: number): SequencedEntry[] =>
  entries.toSorted((a, b) => a.seq - b.seq).slice(0, count)
