import type { EventLog } from '@imago/log'
import type { Did } from '@imago/syntax'
import { HostPosition } from '../ingest/host-position.ts'
import { originOf, replayEntry } from '../ingest/log-entry.ts'
import type { Account } from './account.ts'
import type { StateStore } from './state-store.ts'

/**
 * Brings the state up to the log: entries above what it covers were made durable, and the process ended before the
 * state was. The hosts will send the same events again, and find them done.
 * @returns how many entries were missing.
 * @throws {LogError} where the log is damaged.
 */
export async function recoverState(log: EventLog, state: StateStore, nowMs: number): Promise<number> {
  let recovered = 0
  for (;;) {
    const entries = await log.read(state.covered)
    if (entries.length === 0) return recovered
    const accounts = new Map<Did, Account>()
    const positions = new Map<string, HostPosition>()
    for (const entry of entries) {
      const { host, seq } = originOf(entry.key)
      positionOf(host).recall(seq)
      const account = replayEntry(entry, (did) => accounts.get(did) ?? state.account(did))
      if (account) accounts.set(account.did, account)
    }
    state.commit({
      accounts: accounts.values(),
      hosts: [...positions.values()].map((position) => position.progress()),
      covered: entries.at(-1)!.seq,
    })
    recovered += entries.length

    function positionOf(hostname: string): HostPosition {
      let position = positions.get(hostname)
      if (position === undefined) {
        // Where the whole database is gone, the log still knows the hosts.
        state.addHost(hostname, 'active', nowMs)
        position = new HostPosition(state.host(hostname)!)
        positions.set(hostname, position)
      }
      return position
    }
  }
}
