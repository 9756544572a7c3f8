import type { DidPlc, LogEntry, PlcLog, Verdict } from '@imago/identity/plc'
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
   * The transparency log: the operation of sequence number n is its entry n − 1. It grows in the transactions that take
   * the operations, so that neither is ever without the other.
   */
  readonly tree: PlcTree
}

/** What a store keeps of the transparency log. */
export interface PlcTree {
  /** The newest checkpoint; `undefined` before the first operation, and in a store that keeps no log. */
  checkpoint(): Promise<StoredCheckpoint | undefined>
  /** Hashes of one level of tiles, side by side, 32 bytes each. Fewer than `count` where the log ends. */
  hashes(level: number, first: number, count: number): Promise<Uint8Array>
}
