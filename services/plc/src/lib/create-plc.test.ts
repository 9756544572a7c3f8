import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import {
  createGenesis,
  documentOf,
  type Operation,
  operationCid,
  type PlcData,
  signOperation,
  tombstoneOperation,
  updateOperation,
  validateLog,
} from '@imago/identity/plc'
import { createMetrics } from '@imago/service'
import { createManualClock } from '@imago/sim/clock'
import { createPlc, type PlcOptions } from './create-plc.ts'

const HOUR_MS = 3_600_000
const owner = generateKeypair('k256')
const host = generateKeypair('p256')
const data: PlcData = {
  rotationKeys: [owner.didKey, host.didKey],
  verificationMethods: { atproto: host.didKey },
  alsoKnownAs: ['at://alice.test'],
  services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
}
// biome-ignore lint/suspicious/noExplicitAny: what a test reads from an answer, it asserts.
type Json = any
const named = (name: string) => ({ ...data, alsoKnownAs: [`at://${name}.test`] })

async function directory(options: Partial<PlcOptions> = {}) {
  const clock = createManualClock()
  const faults: unknown[] = []
  const plc = await createPlc({
    databaseFile: ':memory:',
    now: clock.now,
    logger: { error: (fields) => void faults.push(fields) },
    ...options,
  })
  const get = (path: string, headers: Record<string, string> = {}) =>
    plc.fetch(new Request(`http://plc.test${path}`, { headers }))
  const post = (did: string, operation: unknown, headers: Record<string, string> = {}) =>
    plc.fetch(
      new Request(`http://plc.test/${did}`, {
        method: 'POST',
        body: typeof operation === 'string' ? operation : JSON.stringify(operation),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    )
  const json = async (path: string) => (await get(path)).json() as Promise<Json>
  const register = async (name = 'alice') => {
    const { did, operation } = createGenesis(named(name), host)
    assert.equal((await post(did, operation)).status, 200)
    return { did, genesis: operation }
  }
  const accept = async (did: string, operation: Operation) => {
    const response = await post(did, operation)
    assert.equal(response.status, 200, await response.clone().text())
    clock.advance(1)
  }
  return {
    plc,
    clock,
    faults,
    get,
    post,
    json,
    register,
    accept,
    [Symbol.asyncDispose]: () => plc[Symbol.asyncDispose](),
  }
}

async function assertRefused(response: Response, status: number, message: string | RegExp) {
  assert.equal(response.status, status)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  const body = (await response.json()) as { message: string }
  if (typeof message === 'string') assert.equal(body.message, message)
  else assert.match(body.message, message)
}

test('[PLC-10] POST answers OK, and a receipt', async () => {
  await using plc = await directory()
  const { did, operation } = createGenesis(data, host)
  const response = await plc.post(did, operation)
  assert.equal(await response.text(), 'OK')
  assert.match(response.headers.get('content-type')!, /^text\/plain/)
  assert.equal(response.headers.get('plc-seq'), '1')
  assert.equal(response.headers.get('plc-cid'), operationCid(operation).toString())
  const again = await plc.post(did, operation, { accept: 'application/json' })
  assert.deepEqual(await again.json(), {
    cid: operationCid(operation).toString(),
    seq: 1,
    nullified: false,
    createdAt: '2026-01-01T00:00:00.000Z',
  })
})

test('[PLC-10] an operation that was taken before is taken again, and stands once', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  const update = updateOperation(genesis, named('bob'), host)
  await plc.accept(did, update)
  await plc.accept(did, update)
  await plc.accept(did, genesis)
  assert.equal((await plc.json(`/${did}/log`)).length, 2)
})

test('[PLC-10] [PLC-29] of many equal submissions at once one is stored, and all are answered', async () => {
  await using plc = await directory()
  const { did, operation } = createGenesis(data, host)
  const others = Array.from({ length: 20 }, (_, i) => createGenesis(named(`n${i}`), host))
  const responses = await Promise.all([
    ...Array.from({ length: 10 }, () => plc.post(did, operation)),
    ...others.map((one) => plc.post(one.did, one.operation)),
  ])
  for (const response of responses) assert.equal(response.status, 200)
  const seqs = responses.map((response) => Number(response.headers.get('plc-seq')))
  assert.deepEqual(
    [...new Set(seqs)].sort((a, b) => a - b),
    Array.from({ length: 21 }, (_, i) => i + 1),
  )
})

test('[PLC-20] of two updates at once one wins', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  const rivals = ['x', 'y'].map((name) => updateOperation(genesis, named(name), host))
  const statuses = await Promise.all(rivals.map(async (rival) => (await plc.post(did, rival)).status))
  assert.deepEqual(statuses, [200, 400])
  assert.equal((await plc.json(`/${did}/log/audit`)).length, 2)
})

test('[PLC-3] [PLC-40] GET /:did is a JSON-LD document, and plain JSON for who prefers that', async () => {
  await using plc = await directory()
  const { did } = await plc.register()
  for (const accept of [
    '*/*',
    'application/json',
    'application/did+ld+json, application/did+json',
    'application/did+json;q=0',
  ]) {
    const response = await plc.get(`/${did}`, { accept })
    assert.equal(response.headers.get('content-type'), 'application/did+ld+json; charset=utf-8')
    assert.match(response.headers.get('vary') ?? '', /Accept/)
    assert.deepEqual(await response.json(), documentOf({ did, ...data }))
  }
  const plain = await plc.get(`/${did}`, { accept: 'application/did+json, */*;q=0.1' })
  assert.equal(plain.headers.get('content-type'), 'application/did+json; charset=utf-8')
  assert.equal(((await plain.json()) as object & { '@context'?: unknown })['@context'], undefined)
  assert.equal((await plc.get(`/${encodeURIComponent(did)}`)).status, 200)
})

test('[PLC-4] what nobody has registered is 404 on every route', async () => {
  await using plc = await directory()
  const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
  for (const suffix of ['', '/data', '/log', '/log/last', '/log/audit'])
    await assertRefused(await plc.get(`/${did}${suffix}`), 404, `DID not registered: ${did}`)
  await assertRefused(await plc.get('/favicon.ico'), 404, 'DID not registered: favicon.ico')
  await assertRefused(await plc.get('/a/b/c/d'), 404, /^Not found: GET/)
})

test('[PLC-5] [PLC-7] [PLC-8] [PLC-9] a tombstone ends the document, not the log', async () => {
  for (const tombstoneStatus of [410, 404] as const) {
    await using plc = await directory({ tombstoneStatus })
    const { did, genesis } = await plc.register()
    const tombstone = tombstoneOperation(genesis, host)
    await plc.accept(did, tombstone)
    for (const suffix of ['', '/data'])
      await assertRefused(await plc.get(`/${did}${suffix}`), tombstoneStatus, `DID not available: ${did}`)
    assert.deepEqual(await plc.json(`/${did}/log/last`), tombstone)
    assert.deepEqual(await plc.json(`/${did}/log`), [genesis, tombstone])
    assert.equal((await plc.json(`/${did}/log/audit`)).length, 2)
  }
})

test('[PLC-6] GET /:did/data is the state, keys in their order', async () => {
  await using plc = await directory()
  const { did } = await plc.register()
  const body = await plc.json(`/${did}/data`)
  assert.deepEqual(Object.keys(body), [
    'did',
    'verificationMethods',
    'rotationKeys',
    'alsoKnownAs',
    'services',
  ])
  assert.deepEqual(body, { did, ...data })
})

test('[PLC-7] [PLC-8] [PLC-9] a recovery shows in every log, and the audit log validates', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  plc.clock.advance(1)
  const theft = updateOperation(genesis, { rotationKeys: [host.didKey] }, host)
  await plc.accept(did, theft)
  const rescue = updateOperation(genesis, { rotationKeys: [owner.didKey] }, owner)
  await plc.accept(did, rescue)
  assert.deepEqual(await plc.json(`/${did}/log`), [genesis, rescue])
  assert.deepEqual(await plc.json(`/${did}/log/last`), rescue)
  const audit = await plc.json(`/${did}/log/audit`)
  assert.deepEqual(Object.keys(audit[0]), ['did', 'operation', 'cid', 'nullified', 'createdAt'])
  assert.deepEqual(
    audit.map(({ operation, nullified, createdAt }: Json) => [operation, nullified, createdAt]),
    [
      [genesis, false, '2026-01-01T00:00:00.000Z'],
      [theft, true, '2026-01-01T00:00:00.001Z'],
      [rescue, false, '2026-01-01T00:00:00.002Z'],
    ],
  )
  assert.deepEqual(validateLog(did, audit).entries, audit)
})

test('[PLC-11] a body that is no JSON, too large or of another type is refused in JSON', async () => {
  await using plc = await directory()
  const { did, operation } = createGenesis(data, host)
  await assertRefused(await plc.post(did, '{'), 400, /not JSON/)
  await assertRefused(await plc.post(did, ''), 400, /not JSON/)
  await assertRefused(await plc.post(did, `"${'x'.repeat(100 * 1024)}"`), 413, /max 102400 bytes/)
  await assertRefused(
    await plc.post(did, operation, { 'content-type': 'text/plain' }),
    415,
    /send application\/json/,
  )
  await assertRefused(
    await plc.post(did, '['.repeat(50_000) + ']'.repeat(50_000)),
    400,
    /^Not a valid operation/,
  )
  await assertRefused(await plc.post(did, { ...operation, alsoKnownAs: ['\0'] }), 400, /NUL/)
  await assertRefused(await plc.post(did, { ...operation, prev: 'bad' }), 400, /^Not a valid operation/)
  assert.deepEqual(plc.faults, [])
})

test('[PLC-12] [PLC-14] [PLC-17] [PLC-18] the door keeps the ingest policy', async () => {
  await using plc = await directory()
  const { did, operation } = createGenesis(data, host)
  const sig = operation.sig
  const legacy = {
    type: 'create',
    signingKey: owner.didKey,
    recoveryKey: owner.didKey,
    handle: 'a.test',
    service: 'b.test',
    prev: null,
    sig,
  }
  await assertRefused(await plc.post(did, legacy), 400, /^Not a valid operation: /)
  await assertRefused(await plc.post(did, { ...operation, x: 1 }), 400, /^Not a valid operation: /)
  await assertRefused(
    await plc.post(did, {
      ...operation,
      sig: 'x'.repeat(900),
      services: Object.fromEntries(
        Array.from({ length: 7 }, (_, i) => [i, { type: 'T', endpoint: 'x'.repeat(500) }]),
      ),
    }),
    400,
    'Operation too large (4000 bytes maximum in cbor encoding)',
  )
})

test('[PLC-14] a DID is frozen only by who says so', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  const frozen = updateOperation(genesis, { rotationKeys: [] }, host)
  await assertRefused(await plc.post(did, frozen), 400, /nobody could ever change this DID again/)
  await plc.accept(`${did}?allowFreezing=true`, frozen)
  assert.deepEqual((await plc.json(`/${did}/data`)).rotationKeys, [])
})

test('[PLC-19] [PLC-20] [PLC-21] what does not fit the log is refused with its reason and a code', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  const other = createGenesis(named('bob'), host)
  await assertRefused(
    await plc.post('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', other.operation),
    400,
    `Hash of genesis operation does not match DID identifier: ${other.did}`,
  )
  await assertRefused(await plc.post(did, other.operation), 400, 'Operations not correctly ordered')
  const orphan = signOperation<Operation>(
    { ...other.operation, prev: operationCid(other.operation).toString() },
    host,
  )
  await assertRefused(await plc.post(did, orphan), 400, 'Operations not correctly ordered')
  const forged = { ...updateOperation(genesis, named('x'), host), sig: genesis.sig }
  const response = await plc.post(did, forged)
  assert.equal(((await response.clone().json()) as { error: string }).error, 'InvalidSignature')
  await assertRefused(response, 400, /^Invalid signature on op: \{/)
  await assertRefused(await plc.post('blah', genesis), 400, 'Not a did:plc identifier: blah')
})

test('[PLC-22] a recovery comes within 72 hours by the clock of the directory, or not at all', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  plc.clock.advance(1)
  await plc.accept(did, updateOperation(genesis, named('x'), host))
  plc.clock.advance(72 * HOUR_MS - 1)
  const late = updateOperation(genesis, named('z'), owner)
  plc.clock.advance(1)
  await assertRefused(
    await plc.post(did, late),
    400,
    'Recovery operation occurred outside of the allowed 72 hr recovery window. Time lapsed: 259200001',
  )
  plc.clock.advance(-1)
  await plc.accept(did, late)
})

test('[PLC-23] a DID changes ten times an hour, thirty a day and a hundred a week, recoveries aside', async () => {
  await using plc = await directory()
  let { did, genesis: last } = await plc.register()
  const update = (name: string) => (last = updateOperation(last, named(name), host))
  for (let i = 1; i < 10; i++) await plc.accept(did, update(`n${i}`))
  const parent = last
  const next = updateOperation(last, named('one-more'), host)
  const refused = await plc.post(did, next)
  assert.equal(refused.headers.get('retry-after'), '3600')
  assert.equal(refused.headers.get('ratelimit-limit'), '10')
  await assertRefused(refused, 429, 'To many operations within last hour (max 10)')

  plc.clock.advance(HOUR_MS)
  await plc.accept(did, next)
  plc.clock.advance(-HOUR_MS + 10)
  await plc.accept(did, updateOperation(parent, named('rescue'), owner))
})

test('[PLC-23] the day and the week count too, with the status of the public directory on request', async () => {
  await using plc = await directory({ writeLimitStatus: 400 })
  let { did, genesis: last } = await plc.register()
  let count = 1
  const fill = async (until: number) => {
    for (; count < until; count++) {
      await plc.accept(did, (last = updateOperation(last, named(`n${count}`), host)))
      plc.clock.advance(7 * 60_000)
    }
  }
  const oneMore = () => plc.post(did, updateOperation(last, named('one-more'), host))
  await fill(30)
  plc.clock.advance(HOUR_MS)
  await assertRefused(await oneMore(), 400, 'To many operations within last day (max 30)')
  for (const until of [60, 90, 100]) {
    plc.clock.advance(24 * HOUR_MS)
    await fill(until)
  }
  plc.clock.advance(24 * HOUR_MS)
  await assertRefused(await oneMore(), 400, 'To many operations within last week (max 100)')
})

test('[PLC-24] [PLC-25] export by date', async () => {
  await using plc = await directory()
  const dids: string[] = []
  for (const name of ['a', 'b', 'c', 'd']) {
    dids.push((await plc.register(name)).did)
    plc.clock.advance(1)
  }
  const page = await plc.get('/export?count=2')
  assert.equal(page.headers.get('content-type'), 'application/jsonlines')
  const lines = (await page.text()).split('\n')
  assert.equal(lines.length, 2)
  const entries = lines.map((line) => JSON.parse(line))
  assert.deepEqual(Object.keys(entries[0]), ['did', 'operation', 'cid', 'nullified', 'createdAt'])
  const rest = await (await plc.get(`/export?after=${entries[1].createdAt}`)).text()
  assert.deepEqual(
    rest.split('\n').map((line) => JSON.parse(line).did),
    dids.slice(2),
  )
  assert.equal(await (await plc.get('/export?after=2027-01-01')).text(), '')
  assert.equal((await (await plc.get('/export?count=5000')).text()).split('\n').length, 4)
  for (const count of ['0', '-1', 'x', '1.5', ''])
    await assertRefused(await plc.get(`/export?count=${count}`), 400, 'Invalid count parameter')
  for (const after of ['x', '-1', '99999999999999999999', ''])
    await assertRefused(await plc.get(`/export?after=${after}`), 400, 'Invalid after parameter')
})

test('[PLC-26] [PLC-29] export by sequence', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register('a')
  await plc.register('b')
  const text = await (await plc.get('/export?after=0')).text()
  const entries = text.split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(entries[0], {
    type: 'sequenced_op',
    did,
    operation: genesis,
    cid: operationCid(genesis).toString(),
    createdAt: '2026-01-01T00:00:00.000Z',
    seq: 1,
  })
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    [1, 2],
  )
  assert.equal(JSON.parse(await (await plc.get('/export?after=1&count=1')).text()).seq, 2)
  assert.equal(await (await plc.get('/export?after=2023')).text(), '')
})

test('[PLC-28] the stream without an upgrade', async () => {
  await using plc = await directory()
  await assertRefused(await plc.get('/export/stream'), 426, 'upgrade required')
})

test('[PLC-1] [PLC-2] the root is text, and health tells version and progress', async () => {
  await using plc = await directory({ version: '1.2.3' })
  const root = await plc.get('/')
  assert.equal(root.status, 200)
  assert.match(root.headers.get('content-type')!, /^text\/plain/)
  assert.deepEqual(await plc.json('/_health'), { version: '1.2.3', lastSeq: 0, lastOperationAt: null })
  await plc.register()
  assert.equal((await plc.json('/_health')).lastSeq, 1)
})

test('[PLC-2] [PLC-11] a database that fails is 503 for health, 500 elsewhere, and in the log', async () => {
  await using plc = await directory()
  plc.plc.store.latest = () => Promise.reject(new Error('disk'))
  plc.plc.store.head = () => Promise.reject(new Error('disk'))
  const health = await plc.get('/_health')
  assert.equal(health.status, 503)
  assert.deepEqual(await health.json(), { version: '0.1.0', error: 'Service Unavailable' })
  await assertRefused(await plc.get('/did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'), 500, 'Internal Server Error')
  assert.equal(plc.faults.length, 2)
})

test('[PLC-34] metrics count what became of submissions', async () => {
  const metrics = createMetrics()
  await using plc = await directory({ metrics })
  const { did, genesis } = await plc.register()
  await plc.post(did, { ...genesis, x: 1 })
  await plc.post(did, { ...updateOperation(genesis, named('x'), host), sig: genesis.sig })
  const text = await metrics.text()
  for (const line of [
    'plc_submissions_total{outcome="accepted"} 1',
    'plc_submissions_total{outcome="InvalidOperation"} 1',
    'plc_submissions_total{outcome="InvalidSignature"} 1',
    'plc_last_seq 1',
    'plc_stream_consumers 0',
  ])
    assert.ok(text.includes(`${line}\n`), line)
})

test('[PLC-32] entity tags, cache rules, compression and CORS', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  const first = await plc.get(`/${did}`)
  assert.match(first.headers.get('cache-control')!, /max-age=\d+/)
  assert.equal(first.headers.get('access-control-allow-origin'), '*')
  const etag = first.headers.get('etag')!
  assert.equal(etag, `W/"${operationCid(genesis)}"`)
  for (const known of [etag, `"x", ${etag.slice(2)}`, '*']) {
    const response = await plc.get(`/${did}`, { 'if-none-match': known, 'cache-control': 'no-cache' })
    assert.equal(response.status, 304)
    assert.equal(await response.text(), '')
  }
  await plc.accept(did, updateOperation(genesis, named('bob'), host))
  assert.equal((await plc.get(`/${did}`, { 'if-none-match': etag })).status, 200)

  const packed = await plc.get('/export', { 'accept-encoding': 'br, gzip' })
  assert.equal(packed.headers.get('content-encoding'), 'gzip')
  const unpacked = await new Response(packed.body!.pipeThrough(new DecompressionStream('gzip'))).text()
  assert.equal(unpacked, await (await plc.get('/export')).text())
  assert.equal(
    (await plc.get('/export', { 'accept-encoding': 'gzip;q=0' })).headers.get('content-encoding'),
    null,
  )
})

test('time never goes back, whatever the clock does', async () => {
  await using plc = await directory()
  const { did, genesis } = await plc.register()
  plc.clock.advance(-HOUR_MS)
  await plc.accept(did, updateOperation(genesis, named('b'), host))
  await plc.register('c')
  const times = (await (await plc.get('/export?after=0')).text())
    .split('\n')
    .map((line) => JSON.parse(line).createdAt)
  assert.deepEqual(times, [
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00.001Z',
    '2026-01-01T00:00:00.001Z',
  ])
})

test('names that objects inherit, odd keys and odd text go through whole', async () => {
  await using plc = await directory()
  const service = { type: 'T', endpoint: 'not a url' }
  const services = Object.assign(Object.create(null), { constructor: service, 10: service })
  Object.defineProperty(services, '__proto__', { value: service, enumerable: true })
  const odd: PlcData = {
    ...data,
    services,
    alsoKnownAs: ['e\u0301', '\u00e9', '😀'],
    verificationMethods: { x: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK' },
  }
  const { did, operation } = createGenesis(odd, host)
  await plc.accept(did, operation)
  const text = await (await plc.get(`/${did}/log/audit`)).text()
  assert.deepEqual(
    validateLog(did, JSON.parse(text)).log.head!.cid.toString(),
    operationCid(operation).toString(),
  )
  const document = await plc.json(`/${did}`)
  assert.deepEqual(
    document.service.map(({ id }: { id: string }) => id),
    ['#10', '#__proto__', '#constructor'],
  )
  assert.deepEqual(document.alsoKnownAs, odd.alsoKnownAs)
  // And again from the database, where the next operation finds its log.
  await plc.accept(did, updateOperation(operation, named('plain'), owner))
})
