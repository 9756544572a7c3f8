import assert from 'node:assert/strict'
import test from 'node:test'
import { openTestPds } from './test-pds.ts'

test('[P7] health, robots and the front page answer', async () => {
  await using pds = await openTestPds()
  const health = await pds.request('/xrpc/_health')
  assert.deepEqual([health.status, await health.json()], [200, { version: '0.1.0' }])
  const robots = await pds.request('/robots.txt')
  assert.match(await robots.text(), /User-agent: \*\nAllow: \//)
  const front = await pds.request('/')
  assert.match(await front.text(), /AT Protocol/)
  assert.equal((await pds.request('/nothing')).status, 404)
})

test('[P7] health says so when the database does not answer', async () => {
  await using pds = await openTestPds()
  await pds.pds[Symbol.asyncDispose]()
  assert.equal((await pds.request('/xrpc/_health')).status, 503)
  assert.equal((await pds.request('/.well-known/atproto-did')).status, 500)
  assert.ok(pds.logged.some((line) => line.includes('a page failed')))
})

test('[P7] atproto-did names the active account of the host name', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const ask = (host: string) => pds.pds.fetch(new Request(`https://${host}/.well-known/atproto-did`))
  const found = await ask('alice.test')
  assert.deepEqual([found.status, await found.text()], [200, alice.did])
  assert.match(found.headers.get('content-type')!, /^text\/plain/)
  assert.equal((await ask('bob.test')).status, 404)
  await pds.procedure('com.atproto.server.deactivateAccount', { token: alice.accessJwt, body: {} })
  assert.equal((await ask('alice.test')).status, 404)
})

test('[P7] did.json is the document of the service where its DID is the did:web of its host', async () => {
  await using pds = await openTestPds()
  const document = await (await pds.request('/.well-known/did.json')).json()
  assert.deepEqual(document, {
    '@context': ['https://www.w3.org/ns/did/v1'],
    id: 'did:web:pds.test',
    service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: 'https://pds.test' }],
  })
  await using other = await openTestPds({ config: { serviceDid: 'did:web:elsewhere.test' } })
  assert.equal((await other.request('/.well-known/did.json')).status, 404)
})

test('[M1] a proxy that asks whether to get a certificate hears of known names only', async () => {
  await using pds = await openTestPds()
  await pds.createAccount('alice')
  const ask = async (domain: string) => (await pds.request(`/tls-check?domain=${domain}`)).status
  assert.deepEqual(
    await Promise.all(['alice.test', 'pds.test', 'bob.test', ''].map(ask)),
    [200, 200, 404, 404],
  )
})

test('[I1] resolveHandle knows its own accounts itself, and asks the world for others only', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const resolve = (handle: string) => pds.query('com.atproto.identity.resolveHandle', { params: { handle } })
  const found = await resolve('ALICE.test')
  assert.deepEqual([found.status, found.body], [200, { did: alice.did }])
  for (const handle of ['bob.test', 'stranger.example.com']) {
    const { status, body } = await resolve(handle)
    assert.deepEqual([status, body.error], [400, 'HandleNotFound'])
  }
  await pds.procedure('com.atproto.server.deactivateAccount', { token: alice.accessJwt, body: {} })
  assert.equal((await resolve('alice.test')).body.error, 'HandleNotFound')
})

test('[I1] a handle that only ends like our domain is not ours', async () => {
  await using pds = await openTestPds({
    config: { handleDomains: ['.pds.test'] },
    ports: {
      directory: {
        resolveHandle: async (handle: string) => {
          assert.equal(handle, 'evilpds.test')
          return 'did:plc:elsewhere'
        },
      } as never,
    },
  })
  const { body } = await pds.query('com.atproto.identity.resolveHandle', {
    params: { handle: 'evilpds.test' },
  })
  assert.deepEqual(body, { did: 'did:plc:elsewhere' })
})

test('[Z11] browsers of any origin may call methods', async () => {
  await using pds = await openTestPds()
  const preflight = await pds.request('/xrpc/com.atproto.repo.createRecord', {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,atproto-proxy,dpop',
    },
  })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.equal(preflight.headers.get('access-control-max-age'), '86400')
  assert.match(preflight.headers.get('access-control-allow-headers')!, /atproto-proxy/)
  const answer = await pds.query('com.atproto.server.describeServer')
  assert.equal(answer.headers.get('access-control-allow-origin'), '*')
  for (const name of ['DPoP-Nonce', 'WWW-Authenticate', 'Atproto-Repo-Rev'])
    assert.match(answer.headers.get('access-control-expose-headers')!, new RegExp(name))
})

test('[Y11] crawlers are asked to come at the start, at the first event, and then every 20 minutes at most', async () => {
  await using pds = await openTestPds({ config: { crawlers: ['https://relay.test/'] } })
  assert.equal(pds.fetched.length, 0)
  pds.pds.announce()
  assert.deepEqual(pds.fetched, [
    { url: 'https://relay.test/xrpc/com.atproto.sync.requestCrawl', body: '{"hostname":"pds.test"}' },
  ])
  await pds.createAccount('alice')
  assert.equal(pds.fetched.length, 2)
  await pds.createAccount('bob')
  pds.clock.advance(20 * 60_000 - 1)
  await pds.createAccount('carol')
  assert.equal(pds.fetched.length, 2)
  pds.clock.advance(1)
  await pds.createAccount('dave')
  assert.equal(pds.fetched.length, 3)
})

test('a crawler that fails is logged, and disturbs nobody', async () => {
  await using pds = await openTestPds({
    config: { crawlers: ['https://relay.test'] },
    ports: {
      fetch: async () => {
        throw new Error('no route to relay.test')
      },
    },
  })
  await pds.createAccount('alice')
  assert.ok(pds.logged.some((line) => line.includes('no route to relay.test')))
})
