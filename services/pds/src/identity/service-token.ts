import type { Keypair, PublicKey } from '@imago/crypto'
import { fromBase64url, toBase64url } from '@imago/data/multibase'
import { type Did, isDid } from '@imago/syntax'

/** What a service token says: one account asks one service for one thing. */
export interface ServiceClaims {
  /** Who asks. A service of a DID has its fragment behind it. */
  readonly iss: string
  /** Who is asked: a DID, with the fragment of a service or without. */
  readonly aud: string
  /** The method that it is for; without one, any. */
  readonly lxm?: string | undefined
  /** Seconds since the Unix epoch. */
  readonly iat: number
  readonly exp: number
  readonly jti: string
}

/** Why a service token is not accepted. */
export class ServiceTokenError extends Error {
  readonly code: 'BadJwt' | 'JwtExpired' | 'BadJwtAudience' | 'BadJwtLexiconMethod' | 'BadJwtSignature'

  constructor(code: ServiceTokenError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ServiceTokenError'
    this.code = code
  }
}

const ALGORITHMS = { k256: 'ES256K', p256: 'ES256' } as const
/** Far above any token that is honest: nothing longer is looked at. */
const MAX_LENGTH = 8192

const utf8 = new TextEncoder()

/** @see https://atproto.com/specs/xrpc#inter-service-authentication-jwt */
export function signServiceToken(claims: ServiceClaims, keypair: Keypair): string {
  const header = { typ: 'JWT', alg: ALGORITHMS[keypair.curve] }
  const signed = [header, claims].map((part) => toBase64url(utf8.encode(JSON.stringify(part)))).join('.')
  return `${signed}.${toBase64url(keypair.sign(utf8.encode(signed)))}`
}

/**
 * Checks a token that claims to come from an account.
 * @param expected.aud this service; a token for one of its fragments is for something else.
 * @param expected.keyOf the signing key of a DID; with `refresh`, looked up anew: asked once more when the signature does
 *   not fit what was known.
 * @throws {ServiceTokenError} and whatever `keyOf` throws.
 */
export async function verifyServiceToken(
  token: string,
  expected: {
    aud: Did
    lxm: string
    nowMs: number
    keyOf: (did: Did, options: { refresh: boolean }) => Promise<PublicKey | undefined>
  },
): Promise<ServiceClaims & { iss: Did }> {
  const { header, claims, signed, signature } = parse(token)
  // Tokens of other kinds are signed with keys of their own; none of them may pass for this one.
  if (header['typ'] !== undefined && header['typ'] !== 'JWT')
    throw new ServiceTokenError('BadJwt', `the token is of type ${header['typ']}, not a service token`)
  const { iss, aud, lxm, exp } = claims
  if (!isDid(iss)) throw new ServiceTokenError('BadJwt', `iss is ${JSON.stringify(iss)}, and not a DID`)
  if (typeof exp !== 'number' || exp * 1000 <= expected.nowMs)
    throw new ServiceTokenError('JwtExpired', 'the token has expired')
  if (aud !== expected.aud)
    throw new ServiceTokenError('BadJwtAudience', `the token is for ${aud}, and this is ${expected.aud}`)
  if (lxm !== expected.lxm)
    throw new ServiceTokenError(
      'BadJwtLexiconMethod',
      `the token is for ${lxm === undefined ? 'no method in particular' : lxm}, and ${expected.lxm} needs one for itself`,
    )
  for (const refresh of [false, true]) {
    const key = await expected.keyOf(iss, { refresh })
    if (key !== undefined && header['alg'] === ALGORITHMS[key.curve] && key.verify(signed, signature))
      return claims as ServiceClaims & { iss: Did }
  }
  throw new ServiceTokenError('BadJwtSignature', `the token is not signed by the key of ${iss}`)
}

function parse(token: string) {
  const parts = token.split('.')
  try {
    if (parts.length !== 3 || token.length > MAX_LENGTH) throw new TypeError('not three parts')
    const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(text(fromBase64url(part))))
    if (typeof header !== 'object' || header === null || typeof claims !== 'object' || claims === null)
      throw new TypeError('not two objects')
    return {
      header: header as Record<string, unknown>,
      claims: claims as Partial<Record<keyof ServiceClaims, unknown>>,
      signed: utf8.encode(parts.slice(0, 2).join('.')),
      signature: fromBase64url(parts[2]!),
    }
  } catch (cause) {
    throw new ServiceTokenError('BadJwt', 'the Authorization header holds no service token', { cause })
  }
}

const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(bytes)
