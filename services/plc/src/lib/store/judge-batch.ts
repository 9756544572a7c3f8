import { parseCid } from '@imago/data'
import {
  applyVerdict,
  createLog,
  type DidPlc,
  type LogEntry,
  operationCid,
  PlcError,
  type PlcLog,
  parseOperation,
  type Verdict,
} from '@imago/identity/plc'
import type {
  Decision,
  PlcStore,
  Receipt,
  Replayed,
  ReplayOutcome,
  Situation,
  StoredOperation,
} from './plc-store.ts'

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
export interface Judged<Outcome> {
  readonly outcomes: readonly Outcome[]
  readonly written: readonly Written[]
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
    enter({ seq: ++seq, did, verdict }, { log, seqs }, written)
    return { receipt: receiptOf(seq, verdict.entry) }
  })
  return { outcomes, written }
}

/** An operation that was refused, for the evidence. */
export interface Refused {
  readonly replayed: Replayed
  readonly error: PlcError
}

/** As {@link decideBatch}, for what another directory has decided. */
export function replayBatch(
  batch: readonly Replayed[],
  judge: Parameters<PlcStore['replay']>[1],
  { logOf, latest }: Pick<Ground, 'logOf' | 'latest'>,
): Judged<ReplayOutcome> & { readonly refused: readonly Refused[] } {
  const written: Written[] = []
  const refused: Refused[] = []
  let latestSeq = latest?.seq ?? 0
  const outcomes = batch.map((replayed): ReplayOutcome => {
    const { did, operation, seq } = replayed
    const known = logOf(did)
    if (known.seqs.has(operationCid(operation).toString())) return { kind: 'known' }
    if (seq <= latestSeq) return { kind: 'outOfOrder', latestSeq }
    let verdict: Verdict
    try {
      verdict = judge(known.log, replayed)
    } catch (error) {
      if (!(error instanceof PlcError)) throw error
      refused.push({ replayed, error })
      return { kind: 'refused', error }
    }
    latestSeq = seq
    const one = { seq, did, verdict }
    enter(one, known, written)
    return { kind: 'accepted', operation: storedOfWritten(one) }
  })
  return { outcomes, written, refused }
}

function enter(one: Written, { log, seqs }: NumberedLog, written: Written[]): void {
  applyVerdict(log, one.verdict)
  seqs.set(one.verdict.entry.cid.toString(), one.seq)
  written.push(one)
}

/** The log that rows of one DID make, in the order of their numbers. */
export function numberedLogOf(did: DidPlc, rows: readonly OperationRow[]): NumberedLog {
  return {
    log: createLog(did, rows.map(entryOfRow)),
    seqs: new Map(rows.map(({ cid, seq }) => [cid, seq])),
  }
}

export const entryOfRow = ({ json, cid, created_at, signer, nullified }: OperationRow): LogEntry => ({
  operation: parseOperation(JSON.parse(json), 'replay'),
  cid: parseCid(cid),
  createdAt: created_at,
  signer,
  nullified,
})

export const storedOfRow = ({
  seq,
  did,
  cid,
  json,
  nullified,
  created_at,
}: OperationRow): StoredOperation => ({ seq, did, cid, json, nullified, createdAt: created_at })

/** As it is told to listeners: at that moment nothing has undone it. */
export const storedOfWritten = ({ seq, did, verdict: { entry } }: Written): StoredOperation => ({
  seq,
  did,
  cid: entry.cid.toString(),
  json: JSON.stringify(entry.operation),
  nullified: false,
  createdAt: entry.createdAt,
})

const receiptOf = (seq: number, { cid, nullified, createdAt }: LogEntry): Receipt => ({
  seq,
  cid: cid.toString(),
  nullified,
  createdAt,
})
