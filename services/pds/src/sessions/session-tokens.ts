import { createSecretKey } from 'node:crypto'
import type { Did } from '@imago/syntax'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'

/** What an access token lets its bearer do. The refresh scope is apart: a refresh token opens nothing else. */
export type AccessScope =
  | 'com.atproto.access'
  | 'com.atproto.appPass'
  | 'com.atproto.appPassPrivileged'
  | 'com.atproto.signupQueued'
  | 'com.atproto.takendown'

export const ACCESS_TOKEN_LIFETIME_MS = 120 * 60_000
export const REFRESH_TOKEN_LIFETIME_MS = 90 * 24 * 3_600_000

export interface AccessToken {
  readonly did: Did
  readonly scope: AccessScope
}

export interface RefreshToken {
  readonly did: Did
  /** `jti`: the row that must still exist for the token to be worth anything. */
  readonly id: string
}

/** Why a token is not accepted. */
export type TokenFault = 'expired' | 'invalid'
export type Verified<T> = { ok: true; token: T } | { ok: false; fault: TokenFault }

/** Signs and checks session tokens. Knows no accounts and no storage. */
export interface SessionTokens {
  issueAccess(token: AccessToken): Promise<string>
  issueRefresh(token: RefreshToken, expiresAtMs: number): Promise<string>
  verifyAccess(jwt: string): Promise<Verified<AccessToken>>
  /** With `allowExpired`, a token whose time is over still counts: signing out must work with one. */
  verifyRefresh(jwt: string, options?: { allowExpired?: boolean }): Promise<Verified<RefreshToken>>
}

const REFRESH_SCOPE = 'com.atproto.refresh'
const ACCESS_SCOPES: ReadonlySet<unknown> = new Set<AccessScope>([
  'com.atproto.access',
  'com.atproto.appPass',
  'com.atproto.appPassPrivileged',
  'com.atproto.signupQueued',
  'com.atproto.takendown',
])
const CACHED_TOKENS = 10_000

/**
 * Session tokens signed with HS256.
 *
 * An access token is never revoked before its time, so that a verified one may be remembered: the next request with
 * the same string costs one look-up instead of a signature check.
 * @param options.secret at least 16 characters; whoever has it can sign in as anyone.
 * @param options.serviceDid the audience: this server.
 */
export function createSessionTokens(options: {
  secret: string
  serviceDid: Did
  now: () => number
  randomId: () => string
}): SessionTokens {
  const { serviceDid, now, randomId } = options
  const key = createSecretKey(Buffer.from(options.secret))
  const verified = new Map<string, { token: AccessToken; expiresAtMs: number }>()

  const sign = (typ: string, did: Did, id: string, scope: string, expiresAtMs: number) =>
    new SignJWT({ scope })
      .setProtectedHeader({ alg: 'HS256', typ })
      .setSubject(did)
      .setAudience(serviceDid)
      .setJti(id)
      .setIssuedAt(new Date(now()))
      .setExpirationTime(new Date(expiresAtMs))
      .sign(key)

  async function verify(jwt: string, typ: string, ignoreExpiry: boolean): Promise<Verified<JWTPayload>> {
    try {
      // jose has no switch for expiry; a clock at the epoch lets every time pass that was set after it.
      const { payload } = await jwtVerify(jwt, key, {
        algorithms: ['HS256'],
        audience: serviceDid,
        typ,
        requiredClaims: ['sub', 'exp', 'scope'],
        currentDate: ignoreExpiry ? new Date(0) : new Date(now()),
      })
      // A token for one method (`lxm`) or bound to a key (`cnf`) is not a session, even when we signed it.
      if (payload['lxm'] !== undefined || payload['cnf'] !== undefined) return { ok: false, fault: 'invalid' }
      return { ok: true, token: payload }
    } catch (error) {
      return { ok: false, fault: error instanceof errors.JWTExpired ? 'expired' : 'invalid' }
    }
  }

  return {
    issueAccess: ({ did, scope }) => sign('at+jwt', did, randomId(), scope, now() + ACCESS_TOKEN_LIFETIME_MS),
    issueRefresh: ({ did, id }, expiresAtMs) => sign('refresh+jwt', did, id, REFRESH_SCOPE, expiresAtMs),

    async verifyAccess(jwt) {
      const known = verified.get(jwt)
      if (known !== undefined) {
        if (known.expiresAtMs > now()) return { ok: true, token: known.token }
        verified.delete(jwt)
        return { ok: false, fault: 'expired' }
      }
      const result = await verify(jwt, 'at+jwt', false)
      if (!result.ok) return result
      const { sub, scope, exp } = result.token
      if (!ACCESS_SCOPES.has(scope)) return { ok: false, fault: 'invalid' }
      const token: AccessToken = { did: sub as Did, scope: scope as AccessScope }
      if (verified.size >= CACHED_TOKENS) verified.delete(verified.keys().next().value!)
      verified.set(jwt, { token, expiresAtMs: exp! * 1000 })
      return { ok: true, token }
    },

    async verifyRefresh(jwt, { allowExpired = false } = {}) {
      const result = await verify(jwt, 'refresh+jwt', allowExpired)
      if (!result.ok) return result
      const { sub, scope, jti } = result.token
      if (scope !== REFRESH_SCOPE || jti === undefined) return { ok: false, fault: 'invalid' }
      return { ok: true, token: { did: sub as Did, id: jti } }
    },
  }
}
