import { timingSafeEqual } from 'node:crypto'
import { authRequired, forbidden, invalidRequest, XrpcError } from '@imago/xrpc'
import type { Account, AccountStore } from '../accounts/account-store.ts'
import type { AccessScope, RefreshToken, SessionTokens, TokenFault } from '../sessions/session-tokens.ts'

/** Who asks. */
export interface Caller {
  readonly account: Account
  /** An app password opened the session, so that it may do less. */
  readonly forApp: boolean
  /** Whether it may ask others for what is private: with an app password, only if its owner chose so. */
  readonly isPrivileged: boolean
}

/** Guards of methods: each takes a request, and gives who asks or throws what the client shall see. */
export interface Authentication {
  /**
   * A session of an account. Of one that is not active only where `evenInactive` says so: with `deactivated`, only of one
   * that its owner took out of service. Not one that an app password opened, where it is about the account itself
   * (`notForApps`).
   */
  account(options?: {
    evenInactive?: boolean | 'deactivated'
    notForApps?: boolean
  }): (request: Request) => Promise<Caller>
  refreshToken(options?: { allowExpired?: boolean }): (request: Request) => Promise<RefreshToken>
  /** The operator: HTTP Basic, user `admin`. */
  readonly operator: (request: Request) => void
}

const APP_SCOPES: ReadonlySet<AccessScope> = new Set(['com.atproto.appPass', 'com.atproto.appPassPrivileged'])

export function createAuthentication(ports: {
  tokens: SessionTokens
  accounts: Pick<AccountStore, 'get'>
  /** `undefined` lets nobody in as the operator. */
  adminPassword: string | undefined
}): Authentication {
  const { tokens, accounts, adminPassword } = ports
  return {
    account:
      ({ evenInactive = false, notForApps = false } = {}) =>
      async (request) => {
        const verified = await tokens.verifyAccess(bearerOf(request))
        if (!verified.ok) throw refusal(verified.fault)
        const { scope } = verified.token
        const forApp = APP_SCOPES.has(scope)
        if (scope !== 'com.atproto.access' && (!forApp || notForApps))
          throw invalidRequest('Bad token scope', 'InvalidToken')
        const account = await accounts.get(verified.token.did)
        if (account === undefined)
          throw forbidden('the account of this session is not here', 'AccountNotFound')
        const isServed = evenInactive === true || account.status === evenInactive
        if (!isServed) assertActive(account)
        return { account, forApp, isPrivileged: !forApp || scope === 'com.atproto.appPassPrivileged' }
      },

    refreshToken:
      ({ allowExpired = false } = {}) =>
      async (request) => {
        const verified = await tokens.verifyRefresh(bearerOf(request), { allowExpired })
        if (!verified.ok) throw refusal(verified.fault)
        return verified.token
      },

    operator(request) {
      const given = credentialsOf(request, 'basic')
      const expected = adminPassword && Buffer.from(`admin:${adminPassword}`).toString('base64')
      if (!expected || !sameText(given, expected))
        throw authRequired('this is for the operator: HTTP Basic as admin', 'AuthenticationRequired', {
          'www-authenticate': 'Basic realm="pds"',
        })
    },
  }
}

/** @throws {XrpcError} that says why the account is not served. */
export function assertActive({ status }: Account): void {
  if (status === 'deactivated') throw authRequired('the account is deactivated', 'AccountDeactivated')
  if (status !== undefined) throw authRequired('the account has been taken down', 'AccountTakedown')
}

const bearerOf = (request: Request) => credentialsOf(request, 'bearer')

/** What follows the scheme, whose letter case does not matter. */
function credentialsOf(request: Request, scheme: 'bearer' | 'basic'): string {
  const header = request.headers.get('authorization')
  if (header === null) throw authRequired()
  const space = header.indexOf(' ')
  if (space === -1 || header.slice(0, space).toLowerCase() !== scheme)
    throw invalidRequest(
      `the Authorization header must be ${scheme === 'bearer' ? 'Bearer' : 'Basic'}`,
      'InvalidToken',
    )
  return header.slice(space + 1).trim()
}

function refusal(fault: TokenFault): XrpcError {
  return fault === 'expired'
    ? new XrpcError(400, 'ExpiredToken', 'the token has expired')
    : new XrpcError(400, 'InvalidToken', 'the token is not one of this server, or not for this')
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
