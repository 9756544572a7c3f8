import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, type Operation, updateOperation } from '@imago/identity/plc'
import { createManualClock } from '@imago/sim/clock'
import { placeOf } from '../address-limits.ts'
import type { KeyAlert } from '../alerts/key-alert.ts'
import { startWebhook } from '../alerts/webhook.ts'
import { createPlc, type PlcOptions } from '../create-plc.ts'
import { createDurableMemory } from '../durable-file.ts'
import type { PlcStore } from '../store/plc-store.ts'

const [owner, host] = [generateKeypair('p256'), generateKeypair('k256')]

async function directory(options: Partial<PlcOptions> = {}) {
  const clock = createManualClock()
  const plc = await createPlc({ databaseFile: ':memory:', now: clock.now, writeLimits: false, ...options })
  const get = (path: string, headers: Record<string, string> = {}) =>
    plc.fetch(new Request(`http://plc${path}`, { headers }))
  const post = (
    did: string,
    operation: Operation,
    address = '203.0.113.9',
    headers: Record<string, string> = {},
  ) =>
    plc.fetch(
      new Request(`http://plc/${did}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(operation),
      }),
      { remoteAddress: address },
    )
  return { plc, clock, get, post, [Symbol.asyncDispose]: () => plc[Symbol.asyncDispose]() }
}

const genesisOf = (alias: string) =>
  createGenesis(
    {
      rotationKeys: [owner.didKey, host.didKey],
      verificationMethods: {},
      alsoKnownAs: [alias],
      services: {},
    },
    host,
  )

/** A DID that was stolen and taken back. */
async function rescued(here: Awaited<ReturnType<typeof directory>>, alias = 'at://alice.test') {
  const { did, operation } = genesisOf(alias)
  const submit = async (one: Operation) => {
    assert.equal((await here.post(did, one)).status, 200)
    here.clock.advance(90 * 60_000)
  }
  await submit(operation)
  await submit(updateOperation(operation, { alsoKnownAs: ['at://other.test'] }, host))
  const theft = updateOperation(operation, { rotationKeys: [host.didKey] }, owner)
  const rescue = updateOperation(operation, { rotationKeys: [owner.didKey] }, owner)
  await submit(rescue)
  return { did, operation, rescue, theft }
}

test('the history of a DID as a page: what was undone, and why; markup in an alias stays text', async () => {
  await using here = await directory()
  const { did } = await rescued(here, '<script>alert(1)</script>')
  const response = await here.get(`/${did}/history`, { accept: 'text/html' })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-security-policy')!, /default-src 'none'/)
  const page = await response.text()
  assert.match(
    page,
    /Undone 1 h 30 min later by <a href="#operation-3">operation 3<\/a>: key 1, which signed that, outranks key 2/,
  )
  assert.ok(!page.includes('<script>'))
  assert.match(page, /&lt;script&gt;/)
  assert.equal(
    (await here.get('/did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/history', { accept: 'text/html' })).status,
    404,
  )
  assert.equal((await here.get('/nonsense/history')).status, 404)
  assert.match(await (await here.get('/')).text(), /^did:plc directory/)
  assert.match(await (await here.get('/', { accept: 'text/html' })).text(), /<form/)
  assert.equal((await here.get(`/?did=${did}`)).headers.get('location'), `/${did}/history`)
  assert.match(
    await (await here.get('/?did="><b>', { accept: 'text/html' })).text(),
    /value="&quot;&gt;&lt;b&gt;"/,
  )
})

test('[PLC-36] who names the operation that it has written reads it, or is told to wait', async () => {
  await using here = await directory()
  const { did, operation } = genesisOf('a')
  const waiting = here.get(`/${did}?minSeq=1`)
  assert.equal((await here.post(did, operation)).status, 200)
  assert.equal((await waiting).status, 200)
  assert.equal((await here.get(`/${did}`, { 'plc-min-seq': '1' })).status, 200)
  assert.equal((await here.get(`/${did}?minSeq=x`)).status, 400)
})

test('[PLC-39] alerts as server-sent events: those who watch a DID hear of its keys, and miss nothing', async () => {
  await using here = await directory()
  const { did, operation } = genesisOf('at://alice.test')
  await here.post(did, operation)
  const stopped = new AbortController()
  const open = async (headers: Record<string, string> = {}) => {
    const response = await here.plc.fetch(
      new Request(`http://plc/alerts?did=${did}`, { signal: stopped.signal, headers }),
    )
    assert.match(response.headers.get('content-type')!, /^text\/event-stream/)
    return response.body!.pipeThrough(new TextDecoderStream()).getReader()
  }
  const next = async (
    reader: ReadableStreamDefaultReader<string>,
  ): Promise<{ id: number; alert: KeyAlert }> => {
    for (let text = ''; ; ) {
      const { value } = await reader.read()
      text += value
      const found = /data: (.*)\nid: (\d+)\n\n|id: (\d+)\ndata: (.*)\n\n/.exec(
        text.replace(/event: alert\n/, ''),
      )
      if (found !== null)
        return { id: Number(found[2] ?? found[3]), alert: JSON.parse(found[1] ?? found[4]!) }
    }
  }
  const live = await open()
  here.clock.advance(1000)
  await here.post(did, updateOperation(operation, { alsoKnownAs: ['at://harmless.test'] }, host))
  const last = (await (await here.get(`/${did}/log/last`)).json()) as Operation
  here.clock.advance(1000)
  await here.post(did, updateOperation(last, { rotationKeys: [host.didKey] }, host))
  const { id, alert } = await next(live)
  assert.equal(id, 3)
  assert.equal(alert.did, did)
  assert.deepEqual(alert.changes, [{ what: 'rotationKey', kind: 'removed', key: owner.didKey, position: 0 }])
  assert.ok(alert.kind !== 'withdrawal')
  assert.deepEqual(alert.strongerKeys, [owner.didKey])
  assert.equal((await next(await open({ 'last-event-id': '1' }))).id, 3)
  stopped.abort()
  for (const bad of ['/alerts', '/alerts?did=x', `/alerts?did=${did}&cursor=-1`])
    assert.equal((await here.get(bad)).status, 400)
})

test('[PLC-39] a web address is told in order, signed, again until it answers, and goes on after a restart', async () => {
  const secret = new Uint8Array(32).fill(5)
  const cursor = createDurableMemory()
  const told: KeyAlert[] = []
  let failures = 1
  const { promise: all, resolve } = Promise.withResolvers<void>()
  const hook = (async (_: string, init: RequestInit) => {
    if (failures-- > 0) return new Response('', { status: 500 })
    const signature = new Headers(init.headers).get('plc-signature')
    assert.equal(signature, `sha256=${createHmac('sha256', secret).update(String(init.body)).digest('hex')}`)
    told.push(JSON.parse(String(init.body)))
    if (told.length === 2) resolve()
    return new Response()
  }) as typeof fetch
  await cursor.write('0')
  await using here = await directory({ webhooks: [{ url: 'http://hook.test', secret, cursor }], fetch: hook })
  const { did } = await rescued(here)
  const other = genesisOf('b')
  await here.post(other.did, other.operation)
  await here.post(
    other.did,
    updateOperation(other.operation, { verificationMethods: { atproto: host.didKey } }, host),
  )
  await all
  assert.deepEqual(
    told.map(({ did: of, kind }) => [of, kind]),
    [
      [did, 'recovery'],
      [other.did, 'update'],
    ],
  )
})

test('[PLC-23] one address may submit so often, and recoveries always', async () => {
  await using here = await directory({ addressLimit: 2 })
  const { did, operation } = genesisOf('a')
  assert.equal((await here.post(did, operation)).status, 200)
  here.clock.advance(1)
  assert.equal((await here.post(did, updateOperation(operation, { alsoKnownAs: ['b'] }, host))).status, 200)
  const { did: another, operation: more } = genesisOf('c')
  const refused = await here.post(another, more)
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('retry-after'), '300')
  assert.equal((await here.post(another, more, '203.0.113.10')).status, 200)
  here.clock.advance(1)
  assert.equal((await here.post(did, updateOperation(operation, { alsoKnownAs: ['d'] }, owner))).status, 200)
  here.clock.advance(300_000)
  const { did: third, operation: late } = genesisOf('e')
  assert.equal((await here.post(third, late)).status, 200)
})

test('[PLC-23] what one address submits at once counts as what it submits one by one, refusals not at all', async () => {
  await using here = await directory({ addressLimit: 3 })
  const post = (salt: string) => {
    const { did, operation } = genesisOf(salt)
    return here.post(did, operation)
  }
  const { did, operation } = genesisOf('a')
  const forged = await Promise.all(
    ['x', 'y', 'z', 'w'].map((sig) => here.post(did, { ...operation, sig: sig.repeat(86) })),
  )
  assert.deepEqual(new Set(forged.map(({ status }) => status)), new Set([400]))
  const all = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(post))
  assert.deepEqual(all.map(({ status }) => status).sort(), [200, 200, 200, 429, 429, 429])
  assert.equal((await post('g')).status, 429)
})

test('[PLC-39] what changed while the store could not be read is told once it can', async () => {
  await using here = await directory()
  let outages = 0
  const page: PlcStore['page'] = async (...asked) => {
    if (outages-- > 0) throw new Error('the database is gone')
    return await here.plc.store.page(...asked)
  }
  const told: string[] = []
  const failures: string[] = []
  const { promise: all, resolve } = Promise.withResolvers<void>()
  const cursor = createDurableMemory()
  await cursor.write('0')
  await using _webhook = startWebhook(
    { ...here.plc.store, page },
    {
      url: 'http://hook.test',
      secret: new Uint8Array(32),
      cursor,
      firstRetryMs: 1,
      fetch: (async (_: string, { body }: RequestInit) => {
        told.push(JSON.parse(String(body)).did)
        resolve()
        return new Response()
      }) as typeof fetch,
      onFailure: (error) => failures.push((error as Error).message),
    },
  )
  outages = 2
  const { did } = await rescued(here)
  await all
  assert.deepEqual([told, failures], [[did], ['the database is gone', 'the database is gone']])
})

test('an address: the peer, or what a near proxy says; IPv6 by its /64', () => {
  assert.equal(placeOf('203.0.113.9', '198.51.100.1'), '203.0.113.9')
  assert.equal(placeOf('::ffff:203.0.113.9', undefined), '203.0.113.9')
  for (const proxy of [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '::1',
    'fd00::1',
    '::ffff:127.0.0.1',
  ])
    assert.equal(placeOf(proxy, '1.2.3.4, 198.51.100.1'), '198.51.100.1')
  assert.equal(placeOf('127.0.0.1', 'nonsense'), '127.0.0.1')
  assert.equal(placeOf('2001:db8:0:1::7', undefined), '2001:db8:0:1::/64')
  assert.equal(placeOf('2001:db8:0:1:ffff::', undefined), '2001:db8:0:1::/64')
  assert.equal(placeOf('2001:db8::1', undefined), '2001:db8:0:0::/64')
  assert.equal(placeOf(undefined, undefined), '')
})
