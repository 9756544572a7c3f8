import { type DidPlc, operationCid, PlcError, type Verdict } from '@imago/identity/plc'
import {
  enter,
  type Ground,
  type Judged,
  type NumberedLog,
  storedOfEntry,
  type Written,
  writtenOf,
} from './judge-batch.ts'
import { type Fallen, judgeWithdrawal, type WithdrawalVerdict } from './judge-withdrawal.ts'
import type {
  AsideOperation,
  Notice,
  PlcStore,
  Refusals,
  Replayed,
  ReplayedNotice,
  ReplayOutcome,
  StoredOperation,
  Withdrawal,
  WithdrawalRequest,
} from './plc-store.ts'
import { WithdrawalError } from './withdrawal-error.ts'

/** What is to be written of a replay, in this order. */
export type WrittenInReplay =
  | ({ readonly kind: 'operation' } & Written)
  | { readonly kind: 'aside'; readonly operation: AsideOperation }
  | { readonly kind: 'withdrawal'; readonly withdrawal: WrittenWithdrawal }

/** A withdrawal that is to be written. */
export interface WrittenWithdrawal {
  readonly withdrawal: Withdrawal
  /** Numbers of operations that stood, and are set aside. */
  readonly fallen: readonly number[]
  /** Numbers of operations that were set aside before. */
  readonly explained: readonly number[]
  /** Operations that never were here, and have no entry in the log. */
  readonly told: readonly AsideOperation[]
  readonly changed: WithdrawalVerdict['changed']
}

/** What is known of a DID besides its log. */
export interface Aside {
  /** Operations that were set aside, and that no notice has explained. Oldest first. */
  readonly unexplained: readonly AsideOperation[]
  /** Numbers of its notices. */
  readonly notices: ReadonlySet<number>
}

export interface ReplayGround extends Pick<Ground, 'latest'> {
  readonly logOf: (did: DidPlc) => NumberedLog
  /** Only asked for DIDs of notices. */
  readonly asideOf: (did: DidPlc) => Aside
  /** Puts another log in the place of one. */
  readonly replaceLog: (did: DidPlc, log: NumberedLog) => void
  /** The log holds what another directory observed: notices may name what never was in it. */
  readonly isReplica: boolean
}

/** An operation or a notice that was refused, for the evidence. */
export interface Refused {
  readonly replayed: Replayed | ReplayedNotice
  readonly error: PlcError | WithdrawalError
}

export const isNotice = (item: Replayed | ReplayedNotice): item is ReplayedNotice => 'reason' in item

/** As `decideBatch`, for what another directory has decided. */
export function replayBatch(
  batch: readonly (Replayed | ReplayedNotice)[],
  judge: Parameters<PlcStore['replay']>[1],
  refusals: Refusals,
  ground: ReplayGround,
): Judged<ReplayOutcome, WrittenInReplay> & { readonly refused: readonly Refused[] } {
  const written: WrittenInReplay[] = []
  const refused: Refused[] = []
  let latestSeq = ground.latest?.seq ?? 0

  function takeOperation(replayed: Replayed): ReplayOutcome {
    const { did, operation, seq } = replayed
    const known = ground.logOf(did)
    // Whoever sets aside replays a log, where nothing may stand twice.
    if (refusals === 'keepOut' && known.seqs.has(operationCid(operation).toString())) return { kind: 'known' }
    if (seq <= latestSeq) return { kind: 'outOfOrder', latestSeq }
    let verdict: Verdict
    try {
      verdict = judge(known.log, replayed)
    } catch (error) {
      if (!(error instanceof PlcError)) throw error
      if (refusals === 'setAside') {
        latestSeq = seq
        written.push({ kind: 'aside', operation: asideOf(replayed, error) })
      } else refused.push({ replayed, error })
      return { kind: 'refused', error }
    }
    latestSeq = seq
    const one = writtenOf(seq, did, verdict)
    enter(one, known)
    written.push({ kind: 'operation', ...one })
    return { kind: 'accepted', operation: one.stored }
  }

  function takeNotice(notice: ReplayedNotice): ReplayOutcome {
    const aside = asideNow(notice.did)
    if (aside.notices.has(notice.seq)) return { kind: 'known' }
    if (notice.seq <= latestSeq) return { kind: 'outOfOrder', latestSeq }
    let one: WrittenWithdrawal
    try {
      one = follow(notice, aside)
    } catch (error) {
      if (!(error instanceof WithdrawalError)) throw error
      refused.push({ replayed: notice, error })
      return { kind: 'refused', error }
    }
    latestSeq = notice.seq
    written.push({ kind: 'withdrawal', withdrawal: one })
    return { kind: 'withdrawn', withdrawal: one.withdrawal }
  }

  function follow(notice: ReplayedNotice, { unexplained }: Aside): WrittenWithdrawal {
    const first = unexplained[0]
    const known = ground.logOf(notice.did)
    if (first?.cid === notice.cid)
      return {
        withdrawal: withdrawalOf(notice, unexplained),
        fallen: [],
        explained: unexplained.map(({ seq }) => seq),
        told: [],
        changed: [],
      }
    if (known.seqs.has(notice.cid) || (unexplained.length === 0 && !ground.isReplica)) {
      // What was taken here under laxer rules falls; what is valid stays, whoever says otherwise.
      const verdict = judgeWithdrawal(known, notice.cid)
      ground.replaceLog(notice.did, verdict.left)
      return withdrawalOfVerdict(notice, verdict)
    }
    if (first !== undefined)
      throw new WithdrawalError(
        'NotFirst',
        `the notice names ${notice.cid}, and the first operation of ${notice.did} that may not stand is ${first.cid}`,
      )
    // It was never taken here. What was told of it is kept, for the same judgement elsewhere.
    const { told } = notice
    return { withdrawal: withdrawalOf(notice, told), fallen: [], explained: [], told, changed: [] }
  }

  /** With what this batch has done so far. */
  function asideNow(did: DidPlc): Aside {
    const { unexplained, notices } = ground.asideOf(did)
    const now = { unexplained: [...unexplained], notices: new Set(notices) }
    for (const one of written)
      if (one.kind === 'aside' && one.operation.did === did) now.unexplained.push(one.operation)
      else if (one.kind === 'withdrawal' && one.withdrawal.withdrawal.did === did) {
        now.unexplained = []
        now.notices.add(one.withdrawal.withdrawal.seq)
      }
    return now
  }

  const outcomes = batch.map((item) => (isNotice(item) ? takeNotice(item) : takeOperation(item)))
  return { outcomes, written, refused }
}

/** What was asked to be withdrawn, judged against what is there, with the next number. */
export function decideWithdrawal(
  { did, cid, reason }: WithdrawalRequest,
  known: NumberedLog,
  { latest, now }: Pick<Ground, 'latest' | 'now'>,
): { readonly written: WrittenWithdrawal; readonly left: NumberedLog } {
  const verdict = judgeWithdrawal(known, cid)
  // There is an operation, or nothing could fall.
  const { seq, createdAt } = latest!
  const notice: Notice = { seq: seq + 1, did, cid, reason, createdAt: Math.max(now(), createdAt) }
  return { written: withdrawalOfVerdict(notice, verdict), left: verdict.left }
}

/** What the judgement of a notice writes. */
const withdrawalOfVerdict = (notice: Notice, { fallen, changed }: WithdrawalVerdict): WrittenWithdrawal => ({
  withdrawal: withdrawalOf(
    notice,
    fallen.map((one) => asideOfFallen(notice.did, one)),
  ),
  fallen: fallen.map(({ seq }) => seq),
  explained: [],
  told: [],
  changed,
})

const withdrawalOf = (
  { seq, did, cid, reason, createdAt }: Notice,
  operations: readonly AsideOperation[],
): Withdrawal => ({ seq, did, cid, reason, createdAt, operations })

const asideOfFallen = (did: DidPlc, { seq, entry, error }: Fallen): AsideOperation => ({
  ...storedOfEntry(seq, did, entry),
  rule: error.code,
  fault: error.message,
})

const asideOf = ({ did, operation, seq, createdAt }: Replayed, error: PlcError): AsideOperation => ({
  seq,
  did,
  cid: operationCid(operation).toString(),
  json: JSON.stringify(operation),
  nullified: false,
  createdAt,
  rule: error.code,
  fault: error.message,
})

/** What becomes evidence of what was refused. */
export const evidenceOfRefusal = ({ replayed, error }: Refused) => ({
  did: replayed.did,
  seq: replayed.seq,
  json: JSON.stringify(isNotice(replayed) ? withoutText(replayed) : replayed.operation),
  reason: isNotice(replayed) ? `a notice that was not followed: ${error.message}` : error.message,
})

const withoutText = ({ told: _, ...notice }: ReplayedNotice): Notice => notice

/** Every operation that a batch has brought into the histories, as listeners are told. */
export const announced = (written: readonly WrittenInReplay[]) => ({
  operations: written.flatMap((one): StoredOperation[] => (one.kind === 'operation' ? [one.stored] : [])),
  withdrawals: written.flatMap((one): Withdrawal[] =>
    one.kind === 'withdrawal' ? [one.withdrawal.withdrawal] : [],
  ),
})
