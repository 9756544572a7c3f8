import type { Did } from '@imago/syntax'
import type { Account } from './account.ts'

/**
 * - `active` the connection to it is, or was last, open;
 * - `idle` it began its sequence anew, and is about to be read from there;
 * - `offline` it has not answered for a while; it is dialled on, less and less often;
 * - `banned` it is not read.
 */
export type HostStatus = 'active' | 'idle' | 'offline' | 'banned'

/** How far a host has been read. */
export interface HostProgress {
  readonly hostname: string
  /** Everything up to this number of the host's own sequence is finished. */
  readonly cursor: number
  /** Numbers above the cursor that are finished as well, ascending. Few: what was read at the same time. */
  readonly finished: readonly number[]
}

/** A host whose stream is read. */
export interface Host extends HostProgress {
  /** Its place in lists; rises with each new host. */
  readonly id: number
  readonly status: HostStatus
  /** Accounts that it has, those that it deleted not counted. */
  readonly accountCount: number
}

/** What one flush of the log changed. */
export interface StateBatch {
  /** Each as it is from now on. */
  readonly accounts: Iterable<Account>
  readonly hosts: Iterable<HostProgress>
  /** Number in the log up to which this state holds everything. */
  readonly covered: number
}

/**
 * What the relay knows, apart from the log: a view of it that can be made again from the entries above `covered`.
 *
 * - **Durability**: `commit` is all or nothing, but may be lost with the power, together with all that followed, for the
 *   log brings it back. What is said of single hosts (`addHost`, `restartHost`) is durable on return.
 * - **Concurrency**: one process, one store; every method is synchronous.
 * - **Errors**: what the database throws. After one of `commit` nothing of the batch is kept.
 */
export interface StateStore extends Disposable {
  readonly covered: number
  commit(batch: StateBatch): void

  account(did: Did): Account | undefined
  /** Accounts whose repository is known, in the order in which they were first heard of. */
  listAccounts(page: { after: number; limit: number }): readonly (Account & { readonly id: number })[]

  host(hostname: string): Host | undefined
  /** In the order in which they came; without `limit`, all of them. */
  listHosts(page?: { after?: number; limit?: number }): readonly Host[]
  /** Adds a host that is to be read from its oldest event. One that is there already stays as it is. */
  addHost(hostname: string, status: HostStatus, nowMs: number): void
  setHostStatus(hostname: string, status: HostStatus): void
  /** Forgets how far a host was read, because its sequence has begun anew. */
  restartHost(hostname: string): void
  /** How many hosts came since then. */
  countHostsSince(ms: number): number
  /** Fails when the database does not answer. */
  probe(): void
}
