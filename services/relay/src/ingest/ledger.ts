import { createGroupCommit, type EventLog, type NewEntry } from '@imago/log'
import type { Did } from '@imago/syntax'
import type { Account } from '../state/account.ts'
import type { StateStore } from '../state/state-store.ts'
import type { HostPosition, Ticket } from './host-position.ts'

/** What came of one event: it is finished when this is durable. */
export interface Settlement {
  readonly position: HostPosition
  /** Absent where it was finished before, and only the host's progress is to be stored. */
  readonly ticket?: Ticket | undefined
  /** To be sent on, in this order; none for an event that was dropped. */
  readonly entries: readonly NewEntry[]
  /** The account as it is from now on, where the event changed it. */
  readonly account?: Account | undefined
}

/** Where what was decided becomes durable: first the log, which is the truth, then the state, which follows from it. */
export interface Ledger {
  /** An account as the last settlement left it, durable or not. */
  account(did: Did): Account | undefined
  /** Never throws; after a failure, and after `close`, it does nothing. */
  settle(settlement: Settlement): void
  /** Resolves when nothing waits to become durable. */
  idle(): Promise<void>
  /** Takes nothing more, and finishes what waits. */
  close(): Promise<void>
  /** Whether it takes nothing more. */
  readonly isClosed: boolean
  /** What stopped it, if it was not closed in order. */
  readonly failure: unknown
}

const MAX_BATCH_EVENTS = 1000

/**
 * @param options.onFailure told once, when the log or the state could not be written. Nothing may be read from hosts any
 * more: what is in memory is ahead of the disk, and only opening both again tells by how much.
 */
export function createLedger(options: {
  log: EventLog
  state: StateStore
  onFailure: (error: unknown) => void
}): Ledger {
  const { log, state, onFailure } = options
  /** Accounts whose newest form is not in the state yet. */
  const pending = new Map<Did, Account>()
  let failure: unknown
  let closed = false

  const commits = createGroupCommit<Settlement, undefined>({
    maxRequests: MAX_BATCH_EVENTS,
    async flush(batch) {
      // A batch that follows on a failed one would leave a gap.
      if (failure !== undefined) throw failure
      await log.append(batch.flatMap(({ entries }) => entries))
      const accounts = new Map<Did, Account>()
      const positions = new Set<HostPosition>()
      for (const { position, ticket, account } of batch) {
        if (ticket) position.finish(ticket)
        positions.add(position)
        if (account) accounts.set(account.did, account)
      }
      state.commit({
        accounts: accounts.values(),
        hosts: [...positions].map((position) => position.progress()),
        covered: log.head,
      })
      for (const [did, account] of accounts) if (pending.get(did) === account) pending.delete(did)
      return batch.map(() => undefined)
    },
  })

  function fail(error: unknown): void {
    if (failure !== undefined) return
    failure = error
    onFailure(error)
  }

  const ledger: Ledger = {
    get isClosed() {
      return closed || failure !== undefined
    },
    get failure() {
      return failure
    },
    account: (did) => pending.get(did) ?? state.account(did),
    settle(settlement) {
      if (ledger.isClosed) return
      const { account } = settlement
      if (account) pending.set(account.did, account)
      commits.submit(settlement).catch(fail)
    },
    idle: () => commits.idle(),
    async close() {
      closed = true
      await commits.idle()
    },
  }
  return ledger
}
