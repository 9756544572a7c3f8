import type { Did } from '@imago/syntax'
import type { AppPassword, RefreshTokenRow, RefreshTokenStore } from './refresh-token-store.ts'
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

export interface RefreshedPair extends SessionPair {
  /** What the session was opened with, unless by the account's own password. */
  readonly appPassword: AppPassword | undefined
}

/** Sessions of accounts: a short access token, and a refresh token that is used once. */
export interface Sessions {
  /** With an app password, a session that opens what that opens. */
  start(did: Did, appPassword?: AppPassword): Promise<SessionPair>
  /** The next pair, which opens what the first one did; or `undefined` when the session has ended. */
  refresh(token: RefreshToken): Promise<RefreshedPair | undefined>
  end(token: RefreshToken): Promise<void>
}

export function createSessions(ports: {
  tokens: SessionTokens
  store: RefreshTokenStore
  now: () => number
  randomId: () => string
}): Sessions {
  const { tokens, store, now, randomId } = ports

  async function pair(row: RefreshTokenRow): Promise<SessionPair> {
    const [accessJwt, refreshJwt] = await Promise.all([
      tokens.issueAccess({ did: row.did, scope: scopeOf(row.appPassword) }),
      tokens.issueRefresh(row, row.expiresAt),
    ])
    return { accessJwt, refreshJwt }
  }

  return {
    async start(did, appPassword) {
      const row = { id: randomId(), did, expiresAt: now() + REFRESH_TOKEN_LIFETIME_MS, appPassword }
      await store.add(row)
      return pair(row)
    },
    async refresh(token) {
      const at = now()
      const successor = await store.rotate(
        token.id,
        { id: randomId(), expiresAt: at + REFRESH_TOKEN_LIFETIME_MS },
        { now: at, graceUntil: at + REFRESH_GRACE_MS },
      )
      return successor && { ...(await pair(successor)), appPassword: successor.appPassword }
    },
    end: (token) => store.remove(token.id),
  }
}

function scopeOf(appPassword: AppPassword | undefined): AccessScope {
  if (appPassword === undefined) return 'com.atproto.access'
  return appPassword.privileged ? 'com.atproto.appPassPrivileged' : 'com.atproto.appPass'
}
