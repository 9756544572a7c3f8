import type { DidPlc, LogEntry, Operation, PlcError, PlcLog, Verdict } from '@imago/identity/plc'
import type { PlcLogEntry } from '../transparency/log-entry.ts'
import type { StoredCheckpoint } from '../transparency/tree-growth.ts'

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

/**
 * What became of a replayed operation: taken, there already, refused by the judge and kept as evidence, or left out
 * because its number is not above those before it.
 */
export type ReplayOutcome =
  | { readonly kind: 'accepted'; readonly operation: StoredOperation }
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly error: PlcError }
  | { readonly kind: 'outOfOrder'; readonly latestSeq: number }

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
   * @param judge pure and synchronous. What it throws as a {@link PlcError} keeps the operation out, as evidence.
   */
  replay(
    batch: readonly Replayed[],
    judge: (log: PlcLog, replayed: Replayed) => Verdict,
  ): Promise<readonly ReplayOutcome[]>
  /** Keeps an operation as evidence; the same operation and reason once. */
  keepEvidence(evidence: Omit<Evidence, 'foundAt'>): Promise<void>
  /** Evidence in the order in which it was found. */
  evidence(page: { after: number; limit: number }): Promise<readonly (Evidence & { readonly id: number })[]>
  /** The last operation of a DID that is not undone. */
  head(did: string): Promise<StoredOperation | undefined>
  /** All operations of a DID, oldest first. */
  operations(did: string): Promise<readonly StoredOperation[]>
  /** Operations behind a position: in order of sequence, or of time and then sequence. */
  page(after: Position, limit: number): Promise<readonly StoredOperation[]>
  /**
   * Calls `listener` with each committed batch of new operations, in order, after it is durable and before the commits
   * resolve. Returns the function that ends the subscription. A listener must not throw.
   */
  subscribe(listener: (operations: readonly StoredOperation[]) => void): () => void
  /** The newest operation of all. */
  latest(): Promise<Pick<StoredOperation, 'seq' | 'createdAt'> | undefined>
  /**
   * The transparency log. It grows in the transactions that take the operations, one entry each in their order, so
   * that neither is ever without the other.
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
  /** The index of an operation's entry. */
  indexOf(seq: number): Promise<number>
}
