import type { FanOut } from '@imago/log'
import type { Did } from '@imago/syntax'
import type { AskHost } from '../hosts/ask-host.ts'
import type { Hosts } from '../hosts/hosts.ts'
import type { Account } from '../state/account.ts'
import type { StateStore } from '../state/state-store.ts'

/** What methods work with; each names those that it takes. */
export interface Ports {
  readonly hosts: Hosts
  readonly askHost: AskHost
  readonly state: Pick<StateStore, 'listHosts' | 'listAccounts' | 'countHostsSince'>
  readonly account: (did: Did) => Account | undefined
  readonly stream: FanOut
  readonly crawling: {
    readonly open: boolean
    readonly newHostsPerDay: number
    readonly allowInsecure: boolean
  }
  readonly now: () => number
}
