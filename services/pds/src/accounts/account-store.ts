import type { NewEntry } from '@imago/log'
import type { Did, Handle } from '@imago/syntax'
import type { NewRepo, RepoStatus } from '../repos/repo-store.ts'
import type { AppPassword } from '../sessions/refresh-token-store.ts'

/** Someone whose repository lies here. Times are milliseconds since the Unix epoch. */
export interface Account {
  readonly did: Did
  /** Lower case. */
  readonly handle: Handle
  /** Lower case. */
  readonly email: string | undefined
  readonly emailConfirmedAt: number | undefined
  readonly createdAt: number
  /** Why the account is not served; `undefined` for an active one. */
  readonly status: RepoStatus | undefined
}

export interface NewAccount {
  readonly did: Did
  readonly handle: Handle
  readonly email: string | undefined
  readonly passwordHash: string
  readonly createdAt: number
  /** Of one that begins deactivated: when it goes unless it was activated. */
  readonly deleteAfter?: number
  readonly repo: NewRepo
  readonly events: readonly NewEntry[]
}

export interface StoredAppPassword extends AppPassword {
  readonly hash: string
}

/** An account that was deactivated here, and comes back from elsewhere. */
export type RevivedAccount = Pick<NewAccount, 'did' | 'handle' | 'email' | 'passwordHash'> & {
  readonly deleteAfter: number
}

/** A deactivated account whose time is over. */
export interface ExpiredAccount {
  readonly did: Did
  /** It was never active here, so that the network has not heard of it from this host. */
  readonly isUnknown: boolean
}

/** What stands in the way of a new account. */
export type AccountConflict = 'handle' | 'email' | 'did'

/**
 * The accounts of a host. What a promise resolved with is durable, along with its events, which are published then.
 * Operations are atomic; two that contradict each other come one after the other.
 */
export interface AccountStore {
  get(did: Did): Promise<Account | undefined>
  byHandle(handle: Handle): Promise<Account | undefined>
  byEmail(email: string): Promise<Account | undefined>
  passwordHash(did: Did): Promise<string | undefined>
  appPasswords(did: Did): Promise<readonly StoredAppPassword[]>
  /** Account, repository and events at once; or nothing, and what was in the way. */
  create(account: NewAccount): Promise<AccountConflict | undefined>
  /**
   * Gives a deactivated account a new name, address and password, and ends all its sessions.
   * @returns what was in the way; `did` when the account is not deactivated.
   */
  revive(account: RevivedAccount): Promise<AccountConflict | undefined>
  /**
   * Takes an active account out of service. Of one that its owner took out of service before, only the time changes at
   * which it goes, and nothing is announced: the network knows. One that moves in and was never active goes in time unless
   * another time is given. Nothing happens to one in another state.
   * @returns whether it was done.
   */
  deactivate(
    did: Did,
    at: number,
    deleteAfter: number | undefined,
    events: readonly NewEntry[],
  ): Promise<boolean>
  /** Brings a deactivated account back. Nothing happens to one in another state. @returns whether it was done. */
  activate(did: Did, events: readonly NewEntry[]): Promise<boolean>
  /** Announces events that no change of an account goes along with. */
  announce(events: readonly NewEntry[]): Promise<void>
  /** Deactivated accounts that were to be deleted before `before`. */
  listExpired(before: number, limit: number): Promise<readonly ExpiredAccount[]>
  /**
   * Removes the account with its repository, sessions and earlier events; `events` stay.
   * @param ifExpiredBefore lets an account be that {@link listExpired} would not list any more: its owner came back.
   * @returns whether it was done.
   */
  remove(did: Did, events: readonly NewEntry[], ifExpiredBefore?: number): Promise<boolean>
}
