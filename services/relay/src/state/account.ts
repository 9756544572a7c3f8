import type { Cid } from '@imago/data'
import type { Did, Tid } from '@imago/syntax'

/** How an account stands with its own host, as that host last said. */
export interface UpstreamStatus {
  readonly active: boolean
  /** The host's word for it; some go with an active account, such as `throttled`. */
  readonly status?: string
}

/** How it stands with this relay. */
export type LocalStatus = 'active' | 'takendown' | 'suspended' | 'throttled'

/** What is told to others. */
export interface AccountStatus {
  readonly active: boolean
  readonly status?: string
}

/** Where a repository stands, as of the last event that held. */
export interface Head {
  readonly rev: Tid
  /** Root of the tree. */
  readonly data: Cid
  readonly commit: Cid
}

/** All that a relay keeps of an account. */
export interface Account {
  readonly did: Did
  /** Host that last spoke for it with right, as in {@link Host.hostname}. */
  readonly host: string
  readonly upstream: UpstreamStatus
  readonly local: LocalStatus
  /** Absent until a commit was seen. */
  readonly head?: Head
}

export const ACTIVE: UpstreamStatus = { active: true }

/**
 * The relay's own view, which it tells in place of the host's: active only where both sides say so; where neither does,
 * our word is the one that counts.
 * @see https://atproto.com/specs/account#relay
 */
export function statusOf({ upstream, local }: Pick<Account, 'upstream' | 'local'>): AccountStatus {
  if (local !== 'active') return { active: false, status: local }
  const { active, status = active ? undefined : 'inactive' } = upstream
  return { active, ...(status !== undefined && { status }) }
}
