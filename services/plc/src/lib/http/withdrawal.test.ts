import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import {
  createGenesis,
  type DidPlc,
  operationCid,
  type PlcOperation,
  updateOperation,
} from '@imago/identity/plc'
import { serve } from '@imago/service'
import { createManualClock } from '@imago/sim/clock'
import { hashLeaf, parseTlogProof, parseTrustPolicy, verifyTlogProof } from '@imago/tlog'
import { alertOf } from '../alerts/key-alert.ts'
import { createPlc, type Plc, type PlcOptions } from '../create-plc.ts'
import { createDurableMemory } from '../durable-file.ts'
import { decodeLogEntry } from '../transparency/log-entry.ts'

const [owner, host, thief] = [generateKeypair('p256'), generateKeypair('k256'), generateKeypair('k256')]
const SECRET = 'correct horse battery staple'
const transparency = { origin: 'plc.test/log', seed: new Uint8Array(32).fill(9) }

/** As a version would have taken it that did not look at signatures. */
async function takeLaxly(plc: Plc, did: DidPlc, operation: PlcOperation): Promise<string> {
  const cid = operationCid(operation)
  await plc.store.commit(did, ({ log, createdAt }) => ({
    kind: 'accept',
    verdict: {
      entry: { operation, cid, createdAt, signer: 0, nullified: false },
      nullified: log.entries
        .filter(
          (one) => !one.nullified && one.operation.prev !== null && operation.prev === one.operation.prev,
        )
        .map((one) => one.cid),
    },
  }))
  return cid.toString()
}

/** A DID whose name was changed, whose keys were then taken by an operation that nobody signed, and what followed that. */
async function robbed(options: Partial<PlcOptions> = {}) {
  const clock = createManualClock()
  const plc = await createPlc({
    databaseFile: ':memory:',
    now: clock.now,
    transparency,
    adminSecret: SECRET,
    ...options,
  })
  const { did, operation: genesis } = createGenesis(
    {
      rotationKeys: [owner.didKey, host.didKey],
      verificationMethods: {},
      alsoKnownAs: ['at://alice.test'],
      services: {},
    },
    host,
  )
  const get = (path: string, headers: Record<string, string> = {}) =>
    plc.fetch(new Request(`http://plc${path}`, { headers }))
  const submit = async (operation: PlcOperation) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify(operation)
    const response = await plc.fetch(new Request(`http://plc/${did}`, { method: 'POST', body, headers }))
    assert.equal(response.status, 200, await response.text())
    clock.advance(60_000)
  }
  const withdraw = (body: object, headers: Record<string, string> = { authorization: `Bearer ${SECRET}` }) =>
    plc.fetch(
      new Request('http://plc/admin/removeInvalidOps', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
      { remoteAddress: '203.0.113.9' },
    )
  await submit(genesis)
  const renamed = updateOperation(genesis, { alsoKnownAs: ['at://bob.test'] }, host)
  await submit(renamed)
  const theft: PlcOperation = {
    ...updateOperation(genesis, { rotationKeys: [thief.didKey] }, owner),
    sig: genesis.sig,
  }
  const cid = await takeLaxly(plc, did, theft)
  clock.advance(60_000)
  const after = updateOperation(theft, { alsoKnownAs: ['at://thief.test'] }, thief)
  await submit(after)
  return {
    ...{ plc, clock, did, genesis, renamed, theft, after, cid, get, submit, withdraw },
    [Symbol.asyncDispose]: () => plc[Symbol.asyncDispose](),
  }
}

/** An answer in JSON, as `JSON.parse` types it. */
const parsed = async (response: Response) => JSON.parse(await response.text())

const cidOf = (operation: PlcOperation) => operationCid(operation).toString()

test('[PLC-33] what may not stand is told nowhere any more, what it had undone holds again, and the notice is proven', async () => {
  await using here = await robbed()
  const { did, cid, get, withdraw, renamed, theft, after } = here
  const json = async (path: string) => await parsed(await get(path))
  assert.deepEqual((await json(`/${did}/data`)).rotationKeys, [thief.didKey])
  const tags = async () => (await get(`/${did}/log/audit`)).headers.get('etag')
  const before = await tags()

  const response = await withdraw({ did, cid, reason: 'nobody signed it' })
  assert.equal(response.status, 200)
  assert.deepEqual(
    (await parsed(response)).map((one: PlcOperation) => one.sig),
    [theft.sig, after.sig],
    'as the public directory answers: what was removed',
  )
  assert.equal(response.headers.get('plc-seq'), '5')

  assert.notEqual(await tags(), before)
  assert.deepEqual((await json(`/${did}/data?minSeq=5`)).rotationKeys, [owner.didKey, host.didKey])
  assert.deepEqual((await json(`/${did}`)).alsoKnownAs, ['at://bob.test'])
  assert.equal((await json(`/${did}/log/last`)).sig, renamed.sig)
  assert.equal((await json(`/${did}/log`)).length, 2)
  assert.deepEqual(
    (await json(`/${did}/log/audit`)).map((one: { cid: string; nullified: boolean }) => [
      one.cid,
      one.nullified,
    ]),
    [
      [cidOf(here.genesis), false],
      [cidOf(renamed), false],
    ],
  )
  for (const path of ['/export', '/export?after=0'])
    assert.equal((await (await get(path)).text()).split('\n').length, 2, path)
  const lines = (await (await get('/export?after=0&withdrawals=true')).text())
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ type, seq }) => [type, seq]),
    [
      ['sequenced_op', 1],
      ['sequenced_op', 2],
      ['withdrawal', 5],
    ],
  )
  assert.equal((await get('/export?withdrawals=true')).status, 400)

  const [notice] = await json(`/${did}/log/withdrawn`)
  assert.deepEqual([notice.cid, notice.reason, notice.seq], [cid, 'nobody signed it', 5])
  assert.deepEqual(
    notice.operations.map((one: { cid: string; seq: number; rule: string }) => [one.cid, one.seq, one.rule]),
    [
      [cid, 3, 'InvalidSignature'],
      [cidOf(after), 4, 'Misordered'],
    ],
  )
  await here.plc.transparencyLog!.publish()
  const policy = parseTrustPolicy(`log ${here.plc.transparencyLog!.vkeys[0]}\nquorum none\n`)
  for (const [query, index, kind] of [
    ['seq=5', 4, 'withdrawal'],
    [`cid=${cid}`, 2, 'operation'],
    ['seq=4', 3, 'operation'],
  ] as const) {
    const proof = await (await get(`/${did}/log/proof?${query}`)).text()
    const read = parseTlogProof(proof)
    verifyTlogProof(proof, hashLeaf(read.extra!), policy)
    assert.deepEqual([read.index, decodeLogEntry(read.extra!).kind], [index, kind])
  }
  assert.equal((await get(`/${did}/log/proof?seq=99`)).status, 404)
  // The DID goes on from what holds, and the next number follows the notice.
  await here.submit(updateOperation(renamed, { alsoKnownAs: ['at://carol.test'] }, host))
  assert.equal((await json('/_health')).lastSeq, 6)
})

test('[PLC-33] the route: only with the secret, only so many tries, only what is not valid', async () => {
  await using here = await robbed()
  const { did, cid, withdraw, after } = here
  const refused = async (status: number, message: RegExp, ...args: Parameters<typeof withdraw>) => {
    const response = await withdraw(...args)
    assert.equal(response.status, status)
    assert.match((await parsed(response)).message, message)
    return response
  }
  const valid = cidOf(here.genesis)
  await refused(400, /is valid, and stays: it is signed by rotation key 2 of 2 of its own/, {
    did,
    cid: valid,
  })
  await refused(400, /falls with .*first of .*InvalidSignature/, { did, cid: cidOf(after) })
  await refused(400, /has no operation/, { did, cid: 'nonsense' })
  await refused(400, /not a did:plc identifier: "x"/, { did: 'x', cid })
  await refused(400, /cid is not the CID/, { did, cid: 7 })
  for (const reason of ['', 'a\nb', 7, 'x'.repeat(501)])
    await refused(400, /one line of 1 to 500/, { did, cid, reason })
  await refused(401, /missing/, { did, cid }, {})
  await refused(401, /not that of this directory/, { did, cid, adminSecret: `${SECRET}x` }, {})
  assert.equal((await here.get(`/${did}/log/withdrawn`)).status, 200)
  assert.equal(await (await here.get(`/${did}/log/withdrawn`)).text(), '[]')
  const asReference = await withdraw({ did, cid, adminSecret: SECRET }, {})
  assert.equal(asReference.status, 200)
  const again = await withdraw({ did, cid: cidOf(after) })
  assert.deepEqual(
    [again.status, again.headers.get('plc-seq')],
    [200, '5'],
    'with the notice that withdrew it',
  )
  for (let i = 0; i < 8; i++) await refused(401, /not that/, { did, cid }, { authorization: `Bearer ${i}` })
  const late = await refused(429, /Too many wrong secrets/, { did, cid })
  assert.equal(late.headers.get('retry-after'), '300')

  await using closed = await createPlc({ databaseFile: ':memory:' })
  const request = new Request('http://plc/admin/removeInvalidOps', { method: 'POST', body: '{}' })
  assert.equal((await closed.fetch(request)).status, 401)
})

test('[PLC-33] alerts tell of keys that change by a withdrawal, to whoever listens and to webhooks', async () => {
  const told: unknown[] = []
  const { promise: all, resolve } = Promise.withResolvers<void>()
  const cursor = createDurableMemory()
  await cursor.write('3')
  const hook = (async (_: string, init: RequestInit) => {
    told.push(JSON.parse(String(init.body)))
    resolve()
    return new Response()
  }) as typeof fetch
  await using here = await robbed({
    webhooks: [{ url: 'http://hook.test', secret: new Uint8Array(32), cursor }],
    fetch: hook,
  })
  const { did, cid, after } = here
  const alerts = await here.get(`/alerts?did=${did}`)
  const reader = alerts.body!.pipeThrough(new TextDecoderStream()).getReader()
  await here.withdraw({ did, cid, reason: 'nobody signed it' })
  const { value } = await reader.read()
  await reader.cancel()
  const alert = JSON.parse(/^data: (.*)$/m.exec(value!)![1]!)
  assert.deepEqual(
    [alert.kind, alert.seq, alert.reason, alert.withdrawn],
    ['withdrawal', 5, 'nobody signed it', [cid, cidOf(after)]],
  )
  assert.deepEqual(
    alert.changes.map((one: { what: string; kind: string }) => `${one.what} ${one.kind}`),
    ['rotationKey removed', 'rotationKey added', 'rotationKey added', 'alias removed', 'alias added'],
  )
  await all
  assert.deepEqual(told, [alert])
  const [withdrawal] = await here.plc.store.withdrawals(did)
  const harmless = {
    ...withdrawal!,
    operations: withdrawal!.operations.map((one) => ({ ...one, nullified: true })),
  }
  assert.equal(await alertOf(here.plc.store, harmless), undefined, 'what was undone already changes nothing')
})

test('[PLC-33] the stream: who comes late is not told what was withdrawn, who asks for notices has them', async () => {
  await using here = await robbed()
  await using server = await serve({
    fetch: here.plc.fetch,
    upgrade: here.plc.upgrade,
    hostname: '127.0.0.1',
    port: 0,
  })
  const heard = async (query: string, count: number) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/export/stream?${query}`)
    const frames: number[] = []
    socket.onmessage = ({ data }) => {
      frames.push(JSON.parse(String(data)).seq)
      if (frames.length === count) socket.close()
    }
    await once(socket, 'close')
    return frames
  }
  const all = heard('cursor=0&withdrawals=true', 4)
  assert.deepEqual(await heard('cursor=0', 4), [1, 2, 3, 4])
  assert.deepEqual(await all, [1, 2, 3, 4])
  const live = heard('cursor=4&withdrawals=true', 1)
  await here.withdraw({ did: here.did, cid: here.cid })
  assert.deepEqual(await live, [5])
  assert.deepEqual(await heard('cursor=0&withdrawals=true', 3), [1, 2, 5])
  const next = heard('cursor=5', 1)
  await here.submit(updateOperation(here.renamed, { alsoKnownAs: [] }, host))
  assert.deepEqual(await next, [6])
  assert.deepEqual(await heard('cursor=0', 3), [1, 2, 6])
})

test('[PLC-33] the page explains a withdrawal; the reason stays text', async () => {
  await using here = await robbed()
  const page = async () => await (await here.get(`/${here.did}/history`, { accept: 'text/html' })).text()
  assert.doesNotMatch(await page(), /Withdrawn/)
  await here.withdraw({ did: here.did, cid: here.cid, reason: '<b>forged</b>' })
  const told = await page()
  assert.match(told, /Withdrawn<span class="badge bad">never valid/)
  assert.match(told, /&lt;b&gt;forged&lt;\/b&gt;/)
  assert.match(told, /no key that might have signed it did/)
  assert.match(told, /it followed one that may not stand/)
  assert.match(told, /proof\?seq=5/)
  assert.match(told, /<dd>at:\/\/bob\.test<\/dd>/)
})

test('[PLC-33] a DID of which nothing may stand is registered by nobody, and its notice stays', async () => {
  await using here = await robbed()
  const forged: PlcOperation = { ...here.genesis, alsoKnownAs: ['at://x.test'] }
  const did: DidPlc = `did:plc:${'a'.repeat(24)}`
  const cid = await takeLaxly(here.plc, did, forged)
  assert.equal((await here.get(`/${did}`)).status, 200)
  assert.equal((await here.withdraw({ did, cid })).status, 200)
  for (const path of ['', '/data', '/log', '/log/last', '/log/audit'])
    assert.equal((await here.get(`/${did}${path}`)).status, 404, path)
  assert.equal((await parsed(await here.get(`/${did}/log/withdrawn`))).length, 1)
  assert.match(
    await (await here.get(`/${did}/history`, { accept: 'text/html' })).text(),
    /nobody: nothing of it stands/,
  )
})
