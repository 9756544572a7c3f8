import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import {
  createGenesis,
  type Operation,
  operationCid,
  tombstoneOperation,
  updateOperation,
} from '@imago/identity/plc'
import { serve } from '@imago/service'
import { createRandom } from '@imago/sim/random'
import { parseTrustPolicy } from '@imago/tlog'
import { audit } from '../audit/audit.ts'
import { createDirectoryClient } from '../audit/directory-client.ts'
import { createPlc, type Plc } from '../create-plc.ts'
import { createDurableMemory } from '../durable-file.ts'
import { sequencedEntry } from '../http/operation-json.ts'
import { openSqlitePlcStore } from '../store/sqlite-plc-store.ts'
import { growUnsigned } from '../transparency/tree-growth.ts'
import { replayLines } from './replay-lines.ts'
import { localSignatures } from './signature-pool.ts'

const [owner, host] = [generateKeypair('k256'), generateKeypair('p256')]
const genesisOf = (name: string, keys = [owner, host]) =>
  createGenesis(
    {
      rotationKeys: keys.map(({ didKey }) => didKey),
      verificationMethods: {},
      alsoKnownAs: [name],
      services: {},
    },
    keys.at(-1)!,
  )

async function submit(plc: Plc, did: string, operation: Operation): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await plc.fetch(
    new Request(`http://plc/${did}`, { method: 'POST', headers, body: JSON.stringify(operation) }),
  )
  assert.equal(response.status, 200, await response.text())
}

/** With the owner's key alone: a signature of the host's costs as much as eight of these. */
async function grow(plc: Plc, count: number, prefix: string): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const { did, operation } = genesisOf(`${prefix}${i}`, [owner])
      return submit(plc, did, operation)
    }),
  )
}

/** Waits for what happens on its own. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    assert.ok(tries < 500, `never: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const text = async (plc: Plc, path: string) => (await plc.fetch(new Request(`http://plc${path}`))).text()

async function authority() {
  const plc = await createPlc({ databaseFile: ':memory:', writeLimits: false })
  const server = await serve({ fetch: plc.fetch, upgrade: plc.upgrade, hostname: '127.0.0.1', port: 0 })
  return {
    plc,
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await plc[Symbol.asyncDispose]()
    },
  }
}

const replicaOf = (upstream: string, others: Partial<Parameters<typeof createPlc>[0]> = {}) =>
  createPlc({ databaseFile: ':memory:', replica: { upstream, workers: 1 }, ...others })

test('[PLC-30] [PLC-31] reads the history by pages, then follows the stream; forks and tombstones as upstream', async () => {
  await using upstream = await authority()
  await grow(upstream.plc, 1100, 'a')
  const { did, operation } = genesisOf('forked')
  await submit(upstream.plc, did, operation)
  await submit(upstream.plc, did, updateOperation(operation, { alsoKnownAs: ['stolen'] }, host))
  await using replica = await replicaOf(upstream.url)
  await until(() => replica.replica!.state.mode === 'stream')
  await submit(upstream.plc, did, updateOperation(operation, { alsoKnownAs: ['rescued'] }, owner))
  const ended = genesisOf('ended')
  await submit(upstream.plc, ended.did, ended.operation)
  await submit(upstream.plc, ended.did, tombstoneOperation(ended.operation, owner))
  await until(async () => (await replica.store.latest())?.seq === 1105)

  for (const path of [
    `/${did}`,
    `/${did}/data`,
    `/${did}/log/audit`,
    `/${ended.did}`,
    '/export?after=1000',
    '/export',
  ])
    assert.equal(await text(replica, path), await text(upstream.plc, path), path)
  const { replica: health } = JSON.parse(await text(replica, '/_health'))
  assert.deepEqual(
    [health.upstream, health.isCaughtUp, health.accepted, health.refused],
    [upstream.url, true, 1105, 0],
  )
  const refused = await replica.fetch(new Request(`http://plc/${did}`, { method: 'POST', body: '{}' }))
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /This is a replica of http/)
})

test('[PLC-2] until it is caught up, what it does not know is 503, not 404', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const slow = (async () => {
    await gate
    return new Response('')
  }) as typeof fetch
  await using replica = await replicaOf('http://127.0.0.1:1', {
    replica: { upstream: 'http://127.0.0.1:1', workers: 1, fetch: slow },
  })
  const get = (path: string) => replica.fetch(new Request(`http://plc${path}`))
  const did = genesisOf('nobody').did
  assert.equal((await get(`/${did}`)).status, 503)
  assert.ok((await get(`/${did}/log/audit`)).headers.has('retry-after'))
  assert.equal((await get('/_ready')).status, 503)
  open()
  await until(async () => (await get('/_ready')).status === 200)
  assert.equal((await get(`/${did}`)).status, 404)
})

test('what does not follow is kept as evidence, and stops nothing', async () => {
  await using store = openSqlitePlcStore({ databaseFile: ':memory:', now: () => 5, isReplica: true })
  const lineOf = (seq: number, did: string, operation: unknown, createdAt = 1000 + seq) =>
    sequencedEntry({
      seq,
      did,
      cid: 'not looked at',
      json: JSON.stringify(operation),
      nullified: false,
      createdAt,
    })
  const [a, b, c] = ['a', 'b', 'c'].map((name) => genesisOf(name)) as [
    ReturnType<typeof genesisOf>,
    ReturnType<typeof genesisOf>,
    ReturnType<typeof genesisOf>,
  ]
  const update = updateOperation(a.operation, { alsoKnownAs: ['x'] }, host)
  const lines = [
    lineOf(3, a.did, a.operation),
    lineOf(7, b.did, { ...b.operation, sig: a.operation.sig }),
    lineOf(8, a.did, update),
    lineOf(9, a.did, { ...update, alsoKnownAs: ['forged'] }),
    'nonsense',
    lineOf(10, b.did, { ...b.operation, extra: 1 }),
    lineOf(5, b.did, b.operation),
    lineOf(12, c.did, c.operation),
    lineOf(12, c.did, c.operation),
  ]
  const counts = await replayLines(store, localSignatures, lines)
  assert.deepEqual(counts, {
    accepted: 3,
    withdrawn: 0,
    known: 1,
    refused: 2,
    outOfOrder: 1,
    unreadable: 2,
    lastSeq: 12,
  })
  assert.deepEqual(
    (await store.page({ seq: 0 }, 10)).map(({ seq }) => seq),
    [3, 8, 12],
  )
  const evidence = await store.evidence({ after: 0, limit: 10 })
  assert.deepEqual(
    evidence.map(({ seq }) => seq).sort((x, y) => x - y),
    [0, 5, 7, 9, 10],
  )
  assert.deepEqual(await replayLines(store, localSignatures, lines.slice(2, 3)), {
    accepted: 0,
    withdrawn: 0,
    known: 1,
    refused: 0,
    outOfOrder: 0,
    unreadable: 0,
    lastSeq: 8,
  })
})

test('[PLC-37] two directories that do not tell the same: what is missing where, and what was dated anew', async () => {
  await using upstream = await authority()
  await grow(upstream.plc, 20, 'a')
  const lines = (await text(upstream.plc, '/export')).split('\n').map((line) => JSON.parse(line))
  const stranger = genesisOf('stranger')
  const theirs = [
    ...lines.slice(0, 4),
    { ...lines[4], createdAt: new Date(Date.parse(lines[4].createdAt) + 1).toISOString() },
    ...lines.slice(6),
    {
      did: stranger.did,
      operation: stranger.operation,
      cid: operationCid(stranger.operation).toString(),
      nullified: false,
      createdAt: lines.at(-1).createdAt,
    },
  ]
  const fetchOther = (async (input: string) =>
    new URL(input).host === 'other.test'
      ? new Response(theirs.map((line) => JSON.stringify(line)).join('\n'))
      : await fetch(input)) as typeof fetch
  const logged: { kind?: string; cid?: string }[] = []
  await using replica = await replicaOf(upstream.url, {
    now: () => Date.now() + 3_600_000,
    logger: {
      error: (fields) => void logged.push(fields),
      warn: (fields) => assert.fail(JSON.stringify(fields)),
    },
    replica: { upstream: upstream.url, compareWith: ['http://other.test'], workers: 1, fetch: fetchOther },
  })
  await until(() => replica.replica!.state.isCaughtUp)
  await replica.replica!.watch.compare()
  assert.deepEqual(
    logged.map(({ kind, cid }) => [kind, cid]).sort(),
    [
      ['another time', lines[4].cid],
      ['missing here', operationCid(stranger.operation).toString()],
      ['missing there', lines[5].cid],
    ].sort(),
  )
  const evidence = await replica.store.evidence({ after: 0, limit: 10 })
  assert.equal(evidence.length, 3)
  await replica.replica!.watch.compare()
  assert.equal((await replica.store.evidence({ after: 0, limit: 10 })).length, 3, 'the same is kept once')
})

test('a replica keeps a log of what it observed, and an auditor passes it', async () => {
  await using upstream = await authority()
  await grow(upstream.plc, 30, 'a')
  const seed = new Uint8Array(32).fill(3)
  await using replica = await replicaOf(upstream.url, { transparency: { origin: 'observer.test/log', seed } })
  await until(() => replica.replica!.state.isCaughtUp)
  await replica.transparencyLog!.publish()
  await using store = openSqlitePlcStore({
    databaseFile: ':memory:',
    now: Date.now,
    growTree: growUnsigned,
    isReplica: true,
  })
  const report = await audit({
    client: createDirectoryClient('http://plc', (async (url: string) =>
      replica.fetch(new Request(url))) as typeof fetch),
    policy: parseTrustPolicy(`log ${replica.transparencyLog!.vkeys[0]}\nquorum none\n`),
    store,
    state: createDurableMemory(),
    now: Date.now,
    randomInt: createRandom(1).int,
  })
  assert.equal(report.size, 30)
})

test('[PLC-33] a replica learns withdrawals, live and late, and keeps what it had refused to take', async () => {
  await using upstream = await authority()
  const { did, operation } = genesisOf('victim')
  await submit(upstream.plc, did, operation)
  const forged = { ...updateOperation(operation, { alsoKnownAs: ['x'] }, host), sig: operation.sig }
  const cid = operationCid(forged)
  await upstream.plc.store.commit(did, ({ createdAt }) => ({
    kind: 'accept',
    verdict: { entry: { operation: forged, cid, createdAt, signer: 0, nullified: false }, nullified: [] },
  }))
  await using early = await replicaOf(upstream.url)
  await until(() => early.replica!.state.mode === 'stream')
  assert.equal((await early.store.operations(did)).length, 1, 'it believes nobody')
  const evidence = await early.store.evidence({ after: 0, limit: 10 })
  assert.deepEqual(
    evidence.map(({ seq, json }) => [seq, JSON.parse(json).sig]),
    [[2, operation.sig]],
  )
  await upstream.plc.store.withdraw({ did, cid: cid.toString(), reason: 'nobody signed it' })
  await until(async () => (await early.store.latest())?.seq === 3)
  await using late = await replicaOf(upstream.url)
  await until(async () => (await late.store.latest())?.seq === 3)
  for (const replica of [early, late]) {
    for (const path of [
      `/${did}/log/withdrawn`,
      `/${did}/log/audit`,
      `/${did}/data`,
      '/export?after=0&withdrawals=true',
    ])
      assert.equal(await text(replica, path), await text(upstream.plc, path), path)
    const { totals } = replica.replica!.state
    assert.equal(totals.withdrawn, 1)
  }
})

test('[PLC-33] a replica does not follow a notice about what is valid: it goes on serving, and keeps the notice', async () => {
  await using store = openSqlitePlcStore({ databaseFile: ':memory:', now: () => 5, isReplica: true })
  const { did, operation } = genesisOf('victim')
  const cid = operationCid(operation).toString()
  const createdAt = 1000
  const line = sequencedEntry({
    seq: 1,
    did,
    cid,
    json: JSON.stringify(operation),
    nullified: false,
    createdAt,
  })
  const notice = { type: 'withdrawal', did, cid, reason: 'x', seq: 2, createdAt: '2026-01-01T00:00:00.000Z' }
  const lines = [line, notice, { ...notice, seq: 3, reason: 'a\nb' }, { ...notice, seq: 4, cid: 'x' }]
  const counts = await replayLines(
    store,
    localSignatures,
    lines.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
  )
  assert.deepEqual([counts.accepted, counts.refused, counts.unreadable, counts.lastSeq], [1, 1, 2, 4])
  assert.equal((await store.operations(did)).length, 1)
  assert.deepEqual(await store.withdrawals(did), [])
  const reasons = (await store.evidence({ after: 0, limit: 10 })).map(({ reason }) => reason)
  assert.equal(
    reasons.filter((reason) => /a notice that was not followed: .* is valid, and stays/.test(reason)).length,
    1,
  )
})
