import { createHmac } from 'node:crypto'
import type { Session } from './pds-client.ts'
import { JWT_SECRET } from './pds-servers.ts'

/** A session with our server that signing in did not have to make: ten thousand password hashes take an hour. */
export function sessionOf(did: string, audience: string): Session {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { scope: 'com.atproto.access', sub: did, aud: audience, jti: did, iat: now, exp: now + 3600 }
  const signed = `${part({ alg: 'HS256', typ: 'at+jwt' })}.${part(claims)}`
  return {
    did,
    accessJwt: `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`,
  }
}
