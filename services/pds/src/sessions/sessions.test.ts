import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@imago/sim/clock'
import { createRandom } from '@imago/sim/random'
import type { Did } from '@imago/syntax'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { openDatabase } from '../database/database.ts'
import { createSqliteRefreshTokenStore } from './refresh-token-store-sqlite.ts'
import { createSessionTokens } from './session-tokens.ts'
import { createSessions, REFRESH_GRACE_MS } from './sessions.ts'

const did: Did = 'did:plc:alice'
const secret = 'a secret of the tests, long enough'

function setUp() {
  const clock = createManualClock()
  const random = createRandom(7)
  const randomId = () => random.bytes(16).toHex()
  const tokens = createSessionTokens({ secret, serviceDid: 'did:web:pds.test', now: clock.now, randomId })
  const database = openDatabase(':memory:')
  const store = createSqliteRefreshTokenStore(database)
  const sessions = createSessions({ tokens, store, now: clock.now, randomId })
  const refresh = async (jwt: string) => {
    const result = await tokens.verifyRefresh(jwt)
    return result.ok ? sessions.refresh(result.token) : undefined
  }
  return { clock, tokens, sessions, refresh, sqlite: database.sqlite }
}

test('[U1] an access token is at+jwt, for this server, for two hours', async () => {
  const { clock, tokens } = setUp()
  const jwt = await tokens.issueAccess({ did, scope: 'com.atproto.access' })
  assert.deepEqual(decodeProtectedHeader(jwt), { alg: 'HS256', typ: 'at+jwt' })
  const claims = decodeJwt(jwt)
  assert.deepEqual(
    [claims.sub, claims.aud, claims['scope'], claims.exp! - claims.iat!],
    [did, 'did:web:pds.test', 'com.atproto.access', 7200],
  )
  assert.deepEqual(await tokens.verifyAccess(jwt), { ok: true, token: { did, scope: 'com.atproto.access' } })
  clock.advance(7200_000 - 1000)
  assert.equal((await tokens.verifyAccess(jwt)).ok, true)
  clock.advance(1000)
  assert.deepEqual(await tokens.verifyAccess(jwt), { ok: false, fault: 'expired' })
})

test('[U1] what is not an access token of this server does not pass', async () => {
  const { clock, tokens } = setUp()
  const key = Buffer.from(secret)
  const forge = (typ: string, claims: Record<string, unknown>, aud = 'did:web:pds.test', by = key) =>
    new SignJWT({ scope: 'com.atproto.access', ...claims })
      .setProtectedHeader({ alg: 'HS256', typ })
      .setSubject(did)
      .setAudience(aud)
      .setExpirationTime(new Date(clock.now() + 60_000))
      .sign(by)
  const refused = {
    'a refresh token': await tokens.issueRefresh({ did, id: 'x' }, clock.now() + 60_000),
    'another type': await forge('JWT', {}),
    'a token for one method': await forge('at+jwt', { lxm: 'com.atproto.server.getSession' }),
    'a token bound to a key': await forge('at+jwt', { cnf: { jkt: 'x' } }),
    'an unknown scope': await forge('at+jwt', { scope: 'everything' }),
    'another audience': await forge('at+jwt', {}, 'did:web:other.test'),
    'another key': await forge('at+jwt', {}, 'did:web:pds.test', Buffer.from('x'.repeat(32))),
    'no token': 'garbage',
  }
  for (const [what, jwt] of Object.entries(refused))
    assert.deepEqual(await tokens.verifyAccess(jwt), { ok: false, fault: 'invalid' }, what)
  assert.equal((await tokens.verifyAccess(await forge('at+jwt', {}))).ok, true)
})

test('[U2] a refresh token lives 90 days and is exchanged for one successor', async () => {
  const { sessions, refresh } = setUp()
  const first = await sessions.start(did)
  const claims = decodeJwt(first.refreshJwt)
  assert.equal(decodeProtectedHeader(first.refreshJwt).typ, 'refresh+jwt')
  assert.equal(claims['scope'], 'com.atproto.refresh')
  assert.equal(claims.exp! - claims.iat!, 90 * 86_400)
  const second = await refresh(first.refreshJwt)
  assert.notEqual(decodeJwt(second!.refreshJwt).jti, claims.jti)
  assert.ok(await refresh(second!.refreshJwt))
})

test('[U2] within the grace time a used token answers the same successor, also to two at once', async () => {
  const { clock, sessions, refresh } = setUp()
  const first = await sessions.start(did)
  const [a, b] = await Promise.all([refresh(first.refreshJwt), refresh(first.refreshJwt)])
  clock.advance(REFRESH_GRACE_MS - 1)
  const c = await refresh(first.refreshJwt)
  const ids = [a, b, c].map((pair) => decodeJwt(pair!.refreshJwt).jti)
  assert.equal(new Set(ids).size, 1)
  clock.advance(1)
  assert.equal(await refresh(first.refreshJwt), undefined)
  assert.ok(await refresh(a!.refreshJwt))
})

test('[U5] a session that an app password opened stays one, and ends with that password', async () => {
  const { sessions, refresh, sqlite } = setUp()
  for (const [name, privileged] of [
    ['reader', false],
    ['chat', true],
  ] as const) {
    sqlite
      .prepare('INSERT INTO app_password VALUES (?, ?, ?, ?, ?)')
      .run(did, name, '', privileged ? 1 : 0, 0)
    const first = await sessions.start(did, { name, privileged })
    const second = await refresh(first.refreshJwt)
    const scope = privileged ? 'com.atproto.appPassPrivileged' : 'com.atproto.appPass'
    for (const pair of [first, second!]) assert.equal(decodeJwt(pair.accessJwt)['scope'], scope)
    const third = await refresh(second!.refreshJwt)
    sqlite.prepare('DELETE FROM app_password WHERE name = ?').run(name)
    assert.equal(await refresh(third!.refreshJwt), undefined)
  }
})

test('[U2] ending a session ends what came from it', async () => {
  const { tokens, sessions, refresh } = setUp()
  const first = await sessions.start(did)
  const second = await refresh(first.refreshJwt)
  const verified = await tokens.verifyRefresh(first.refreshJwt, { allowExpired: true })
  assert.ok(verified.ok)
  await sessions.end(verified.token)
  await sessions.end(verified.token)
  assert.equal(await refresh(first.refreshJwt), undefined)
  assert.equal(await refresh(second!.refreshJwt), undefined)
})

test('[S6] a refresh token past its time is still known when it is only to be ended', async () => {
  const { clock, tokens, sessions } = setUp()
  const { refreshJwt } = await sessions.start(did)
  clock.advance(91 * 86_400_000)
  assert.deepEqual(await tokens.verifyRefresh(refreshJwt), { ok: false, fault: 'expired' })
  assert.equal((await tokens.verifyRefresh(refreshJwt, { allowExpired: true })).ok, true)
})
