import type { Did } from '@imago/syntax'
import type { RefreshTokenStore } from './refresh-token-store.ts'
import {
  type AccessScope,
  REFRESH_TOKEN_LIFETIME_MS,
  type RefreshToken,
  type SessionTokens,
} from './session-tokens.ts'

/** How long a refresh token that was used answers the same successor again. */
export const REFRESH_GRACE_MS = 2 * 3_600_000

export interface SessionPair {
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** Sessions of accounts: a short access token, and a refresh token that is used once. */
export interface Sessions {
  start(did: Did, scope: AccessScope): Promise<SessionPair>
  /** The next pair, or `undefined` when the session has ended. */
  refresh(token: RefreshToken, scope: AccessScope): Promise<SessionPair | undefined>
  end(token: RefreshToken): Promise<void>
}

export function createSessions(ports: {
  tokens: SessionTokens
  store: RefreshTokenStore
  now: () => number
  randomId: () => string
}): Sessions {
  const { tokens, store, now, randomId } = ports

  async function pair(row: RefreshToken & { expiresAt: number }, scope: AccessScope): Promise<SessionPair> {
    const [accessJwt, refreshJwt] = await Promise.all([
      tokens.issueAccess({ did: row.did, scope }),
      tokens.issueRefresh(row, row.expiresAt),
    ])
    return { accessJwt, refreshJwt }
  }

  return {
    async start(did, scope) {
      const row = { id: randomId(), did, expiresAt: now() + REFRESH_TOKEN_LIFETIME_MS }
      await store.add(row)
      return pair(row, scope)
    },
    async refresh(token, scope) {
      const at = now()
      const successor = await store.rotate(
        token.id,
        { id: randomId(), expiresAt: at + REFRESH_TOKEN_LIFETIME_MS },
        { now: at, graceUntil: at + REFRESH_GRACE_MS },
      )
      return successor && pair(successor, scope)
    },
    end: (token) => store.remove(token.id),
  }
}
