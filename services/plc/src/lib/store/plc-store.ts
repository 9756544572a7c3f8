import type {
  DidPlc,
  LogEntry,
  Operation,
  PlcError,
  PlcErrorCode,
  PlcLog,
  Verdict,
} from '@imago/identity/plc'
import type { PlcLogEntry } from '../transparency/log-entry.ts'
import type { StoredCheckpoint } from '../transparency/tree-growth.ts'
import type { WithdrawalError } from './withdrawal-error.ts'

/** An operation as the directory keeps it. */
export interface StoredOperation {
  /** Its place among all operations of the directory: 1, 2, 3 and so on. */
  readonly seq: number
  readonly did: string
  readonly cid: string
  /** The operation as JSON text, keys in canonical order. */
  readonly json: string
  /** Undone by a later operation. */
  readonly nullified: boolean
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number
}

/** What the directory has to say about a submission that it took. */
export type Receipt = Pick<StoredOperation, 'seq' | 'cid' | 'nullified' | 'createdAt'>

/**
 * What is to be done with a submission: write what was found, or nothing, because the operation is there already.
 */
export type Decision =
  | { readonly kind: 'accept'; readonly verdict: Verdict }
  | { readonly kind: 'known'; readonly entry: LogEntry }

/** What a decision is made from. */
export interface Situation {
  /** The log of the DID, with everything in it that was committed, or will be committed along with this. */
  readonly log: PlcLog
  /** When the operation is taken, should it be: after the head of the log, and not before any other operation. */
  readonly createdAt: number
}

/** An operation as another directory has taken it. */
export interface Replayed {
  readonly did: DidPlc
  readonly operation: Operation
  /** The number that it has there. */
  readonly seq: number
  /** When it was taken there, in milliseconds since the Unix epoch. */
  readonly createdAt: number
}

/** That an operation of a DID may not stand, though it was taken once. */
export interface Notice {
  /** Its own place among operations and notices. */
  readonly seq: number
  readonly did: DidPlc
  /** Of the first operation that may not stand. */
  readonly cid: string
  /** Why, in the words of who withdrew it. */
  readonly reason: string
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number
}

/** An operation that may not stand. */
export interface AsideOperation extends StoredOperation {
  /** As it was when the operation was withdrawn. */
  readonly nullified: boolean
  /** What it breaks. */
  readonly rule: PlcErrorCode
  /** The same in words. */
  readonly fault: string
}

/** What an operator asks to be withdrawn, and why. */
export type WithdrawalRequest = Pick<Notice, 'did' | 'cid' | 'reason'>

/** A notice, and what was withdrawn by it: the operation that it names, and all that could not stand without. */
export interface Withdrawal extends Notice {
  /** Oldest first. In a replica, those that it has seen, or was told of with the notice. */
  readonly operations: readonly AsideOperation[]
}

/** A notice as another directory has given it, with the operations that it tells to have withdrawn. */
export interface ReplayedNotice extends Notice {
  readonly told: readonly AsideOperation[]
}

/**
 * What became of a replayed operation: taken, there already, refused by the judge (kept as evidence, or set aside), or
 * left out because its number is not above those before it. Of a replayed notice: followed, there already, or refused
 * because what it names may stand; then nothing was withdrawn, and the notice is evidence.
 */
export type ReplayOutcome =
  | { readonly kind: 'accepted'; readonly operation: StoredOperation }
  | { readonly kind: 'withdrawn'; readonly withdrawal: Withdrawal }
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly error: PlcError | WithdrawalError }
  | { readonly kind: 'outOfOrder'; readonly latestSeq: number }

/**
 * What to do with operations that the judge refuses. A replica keeps them out: they are evidence, and have no entry in
 * its log. An auditor sets them aside: they are in the log that it replays, until a notice explains why.
 */
export type Refusals = 'keepOut' | 'setAside'

/** Hears of each committed batch: of new operations, or of withdrawals. */
export type StoreListener = (
  operations: readonly StoredOperation[],
  withdrawals: readonly Withdrawal[],
) => void

/** An operation that does not follow from the history that it came with, or that was taken back. */
export interface Evidence {
  readonly did: string
  readonly seq: number
  /** The operation as JSON text. */
  readonly json: string
  readonly reason: string
  /** When it was found, in milliseconds since the Unix epoch. */
  readonly foundAt: number
}

/** Where a page of operations begins: behind this place, or this time in milliseconds since the Unix epoch. */
export type Position = { readonly seq: number } | { readonly time: number }

/**
 * The operations of a directory. One process owns a store.
 *
 * - **Durability**: when `commit` resolves, the operation survives `kill -9` and power loss, and so does what it undid.
 *   No read shows an operation before.
 * - **Concurrency**: commits that overlap share one flush. Each is decided against a log that holds what was decided
 *   before it.
 * - **Ordering**: sequence numbers follow the order of the decisions, without gaps. Times never go back.
 * - **Errors**: after a rejection nothing of this submission was written, and other submissions are not concerned, but
 *   for failures of the store itself, which reject the whole batch.
 */
export interface PlcStore extends AsyncDisposable {
  /**
   * Decides about an operation and commits the outcome.
   * @param decide pure and synchronous; may run again after a failure. What it throws, `commit` rejects with.
   */
  commit(did: DidPlc, decide: (situation: Situation) => Decision): Promise<Receipt>
  /**
   * Takes what another directory took: in its order, with its numbers and times, in one transaction. Numbers may have
   * gaps. What is there already is passed over, so that a batch may be given again.
   * @param judge pure and synchronous. What it throws as a {@link PlcError} refuses the operation; whatever else it
   *   throws undoes the whole batch.
   * @param refusals Default: `keepOut`.
   */
  replay(
    batch: readonly (Replayed | ReplayedNotice)[],
    judge: (log: PlcLog, replayed: Replayed) => Verdict,
    refusals?: Refusals,
  ): Promise<readonly ReplayOutcome[]>
  /**
   * Withdraws an operation that may not stand, with all that rests on it. Nothing is deleted: the operations are set
   * aside, and a notice takes the next number. One that was withdrawn before is answered with its notice.
   * @throws {WithdrawalError} when the operation is valid, falls with another one, or is not there.
   */
  withdraw(request: WithdrawalRequest): Promise<Withdrawal>
  /** What was withdrawn of a DID, oldest notice first. */
  withdrawals(did: string): Promise<readonly Withdrawal[]>
  /** Notices behind a number, in order. */
  withdrawalPage(after: number, limit: number): Promise<readonly Withdrawal[]>
  /** Operations that were set aside in a replay and that no notice has explained, oldest first. */
  unexplained(limit: number): Promise<readonly AsideOperation[]>
  /** Keeps an operation as evidence; the same operation and reason once. */
  keepEvidence(evidence: Omit<Evidence, 'foundAt'>): Promise<void>
  /** Evidence in the order in which it was found. */
  evidence(page: { after: number; limit: number }): Promise<readonly (Evidence & { readonly id: number })[]>
  /** The last operation of a DID that is not undone. */
  head(did: string): Promise<StoredOperation | undefined>
  /** All operations of a DID that were not withdrawn, oldest first. */
  operations(did: string): Promise<readonly StoredOperation[]>
  /** Operations behind a position that were not withdrawn: in order of sequence, or of time and then sequence. */
  page(after: Position, limit: number): Promise<readonly StoredOperation[]>
  /**
   * Calls `listener` with each committed batch, in order, after it is durable and before the commits resolve. Returns the
   * function that ends the subscription. A listener must not throw.
   */
  subscribe(listener: StoreListener): () => void
  /** The newest operation or notice of all. */
  latest(): Promise<Pick<StoredOperation, 'seq' | 'createdAt'> | undefined>
  /**
   * The transparency log. It grows in the transactions that take operations and notices, one entry each in their order,
   * so that neither is ever without the other. What was withdrawn stays in it.
   */
  readonly tree: PlcTree
}

/** What a store keeps of the transparency log. */
export interface PlcTree {
  /** The newest checkpoint; `undefined` before the first operation, and in a store that keeps no log. */
  checkpoint(): Promise<StoredCheckpoint | undefined>
  /** Hashes of one level of tiles, side by side, 32 bytes each. Fewer than `count` where the log ends. */
  hashes(level: number, first: number, count: number): Promise<Uint8Array>
  /** Entries side by side, from the index `first`. Fewer than `count` where the log ends. */
  entries(first: number, count: number): Promise<readonly PlcLogEntry[]>
  /** The index of the entry of an operation or notice. */
  indexOf(seq: number): Promise<number>
}
