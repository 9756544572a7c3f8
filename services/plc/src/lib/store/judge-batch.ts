import { parseCid } from '@imago/data'
import {
  applyVerdict,
  createLog,
  type DidPlc,
  type LogEntry,
  type Operation,
  PlcError,
  type PlcLog,
  parseOperation,
  type Verdict,
} from '@imago/identity/plc'
import type { Decision, Receipt, Situation, StoredOperation } from './plc-store.ts'

/** A row of the table of operations. */
export interface OperationRow {
  readonly seq: number
  readonly did: string
  readonly cid: string
  readonly json: string
  readonly signer: number
  readonly nullified: boolean
  readonly created_at: number
}

/** The log of a DID, and the numbers of its operations by CID. */
export interface NumberedLog {
  readonly log: PlcLog
  readonly seqs: Map<string, number>
}

/** An operation that is to be written, and what it undoes. */
export interface Written {
  readonly seq: number
  readonly did: DidPlc
  readonly verdict: Verdict
  /** As it is stored, and told to listeners: at that moment nothing has undone it. */
  readonly stored: StoredOperation
}

/** Where the directory stands before a batch, and every log that the batch speaks of. */
export interface Ground {
  readonly logOf: (did: DidPlc) => NumberedLog
  readonly latest: Pick<StoredOperation, 'seq' | 'createdAt'> | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
}

export interface CommitRequest {
  readonly did: DidPlc
  readonly decide: (situation: Situation) => Decision
}

export type CommitOutcome = { readonly receipt: Receipt } | { readonly error: unknown }

/** Outcomes in the order of the requests, and what has to be written for them to be true. */
export interface Judged<Outcome, W = Written> {
  readonly outcomes: readonly Outcome[]
  readonly written: readonly W[]
}

/**
 * Decides about requests in turn, each against what those before it left. Changes the logs: where nothing comes of it,
 * they have to be forgotten.
 */
export function decideBatch(requests: readonly CommitRequest[], ground: Ground): Judged<CommitOutcome> {
  const { logOf, latest, now } = ground
  const written: Written[] = []
  let seq = latest?.seq ?? 0
  let time = latest?.createdAt ?? 0
  const outcomes = requests.map(({ did, decide }): CommitOutcome => {
    const { log, seqs } = logOf(did)
    const createdAt = Math.max(now(), time, (log.head?.createdAt ?? 0) + 1)
    let decision: Decision
    try {
      decision = decide({ log, createdAt })
    } catch (error) {
      return { error }
    }
    if (decision.kind === 'known')
      return { receipt: receiptOf(seqs.get(decision.entry.cid.toString())!, decision.entry) }
    const { verdict } = decision
    time = verdict.entry.createdAt
    const one = writtenOf(++seq, did, verdict)
    enter(one, { log, seqs })
    written.push(one)
    return { receipt: receiptOf(seq, verdict.entry) }
  })
  return { outcomes, written }
}

/** Puts an operation into the log that it was judged against. */
export function enter({ seq, verdict }: Written, { log, seqs }: NumberedLog): void {
  applyVerdict(log, verdict)
  seqs.set(verdict.entry.cid.toString(), seq)
}

/** The log that rows of one DID make, in the order of their numbers. */
export function numberedLogOf(did: DidPlc, rows: readonly OperationRow[]): NumberedLog {
  return {
    log: createLog(did, rows.map(entryOfRow)),
    seqs: new Map(rows.map(({ cid, seq }) => [cid, seq])),
  }
}

export const entryOfRow = ({ json, cid, created_at, signer, nullified }: OperationRow): LogEntry => ({
  operation: operationOfJson(json),
  cid: parseCid(cid),
  createdAt: created_at,
  signer,
  nullified,
})

/**
 * An operation as it was taken. Laxer versions may have taken one that today's form has no room for: it has the same
 * bytes as ever, and is for a withdrawal to judge.
 */
export function operationOfJson(json: string): Operation {
  const value: unknown = JSON.parse(json)
  try {
    return parseOperation(value, 'replay')
  } catch (error) {
    if (error instanceof PlcError) return value as Operation
    throw error
  }
}

export const storedOfRow = ({
  seq,
  did,
  cid,
  json,
  nullified,
  created_at,
}: OperationRow): StoredOperation => ({ seq, did, cid, json, nullified, createdAt: created_at })

/** The JSON of an operation takes as long as all else that is made of it: it is made once. */
export const writtenOf = (seq: number, did: DidPlc, verdict: Verdict): Written => ({
  seq,
  did,
  verdict,
  stored: storedOfEntry(seq, did, verdict.entry),
})

export const storedOfEntry = (
  seq: number,
  did: DidPlc,
  { cid, operation, nullified, createdAt }: LogEntry,
): StoredOperation => ({
  seq,
  did,
  cid: cid.toString(),
  json: JSON.stringify(operation),
  nullified,
  createdAt,
})

const receiptOf = (seq: number, { cid, nullified, createdAt }: LogEntry): Receipt => ({
  seq,
  cid: cid.toString(),
  nullified,
  createdAt,
})
