import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { parseDidKey } from '@imago/crypto'
import { type Cid, decode, readCar } from '@imago/data'
import { parseCommit, verifyRecordProof, verifyRepo } from '@imago/repo'
import { createRandom } from '@imago/sim/random'
import { parseCommitEvent, parseSyncEvent, verifyCommit, verifySync } from '@imago/sync'
import { DEFAULT_EXPORT_LIMITS } from '../src/api/export-watch.ts'
import { openTestPds, readEvents, type TestPds } from './test-pds.ts'

const NOTE = 'com.example.note'
const sync = (name: string) => `com.atproto.sync.${name}`
const create = (rkey: string, value: object = {}) => ({
  $type: 'com.atproto.repo.applyWrites#create',
  collection: NOTE,
  rkey,
  value,
})

async function withAlice(records: readonly string[] = []) {
  const pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const write = (name: string, body: object) =>
    pds.procedure(`com.atproto.repo.${name}`, { token: alice.accessJwt, body: { repo: alice.did, ...body } })
  if (records.length > 0)
    await write('applyWrites', { writes: records.map((rkey) => create(rkey, { rkey })) })
  const key = signingKeyOf(pds, alice.did)
  return { pds, alice, write, key, [Symbol.asyncDispose]: () => pds[Symbol.asyncDispose]() }
}

function signingKeyOf(pds: TestPds, did: string) {
  const method = pds.plc.document(did as `did:plc:${string}`).verificationMethod?.[0]
  return parseDidKey(`did:key:${method!.publicKeyMultibase}`)
}

const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${String(i).padStart(3, '0')}`)

test('[Y1] getRepo exports the whole repository in pre-order under one root', async () => {
  await using all = await withAlice(keys(150))
  const { pds, alice, key } = all
  const { status, body, headers } = await pds.query(sync('getRepo'), { params: { did: alice.did } })
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'application/vnd.ipld.car')
  const { roots, blocks } = readCar(body)
  const latest = await pds.query(sync('getLatestCommit'), { params: { did: alice.did } })
  assert.deepEqual(roots.map(String), [latest.body.cid])
  const { records, commit } = verifyRepo({ roots, blocks }, { did: alice.did, key })
  assert.equal(commit.rev, latest.body.rev)
  assert.deepEqual(
    [...records.keys()],
    keys(150).map((rkey) => `${NOTE}/${rkey}`),
  )

  // Pre-order: whatever a block links to comes after it.
  const place = new Map([...blocks].map(({ cid }, index) => [cid.toString(), index]))
  for (const { cid, bytes } of blocks)
    for (const link of linksIn(decode(bytes)))
      if (place.has(link)) assert.ok(place.get(link)! > place.get(cid.toString())!)
  assert.equal(place.get(latest.body.cid), 0)
})

function linksIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  if ('digest' in value) return [String(value as Cid)]
  return Object.values(value).flatMap(linksIn)
}

test('[Y1] since leaves out what a reader of that revision has', async () => {
  await using all = await withAlice(keys(100))
  const { pds, alice, write, key } = all
  const whole = readCar((await pds.query(sync('getRepo'), { params: { did: alice.did } })).body)
  const { rev: since } = parseCommit(whole.blocks.get(whole.roots[0]!)!)
  await write('createRecord', { collection: NOTE, rkey: 'new', record: { new: true } })
  await write('deleteRecord', { collection: NOTE, rkey: 'k050' })
  const diff = readCar((await pds.query(sync('getRepo'), { params: { did: alice.did, since } })).body)
  assert.ok(diff.blocks.size < 30, `${diff.blocks.size} blocks`)
  for (const { cid, bytes } of diff.blocks) whole.blocks.set(cid, bytes)
  const { records } = verifyRepo({ roots: diff.roots, blocks: whole.blocks }, { did: alice.did, key })
  assert.equal(records.size, 100)
})

test('[Y1] an export shows one moment, whatever is written while it runs', async () => {
  await using all = await withAlice(keys(150))
  const { pds, alice, write, key } = all
  const response = await pds.request(`/xrpc/${sync('getRepo')}?did=${alice.did}`)
  await write('applyWrites', {
    writes: keys(150).map((rkey) => ({
      $type: 'com.atproto.repo.applyWrites#delete',
      collection: NOTE,
      rkey,
    })),
  })
  const { roots, blocks } = readCar(new Uint8Array(await response.arrayBuffer()))
  assert.equal(verifyRepo({ roots, blocks }, { did: alice.did, key }).records.size, 150)
})

test('[Y1] a reader that goes away leaves nothing open', async () => {
  await using all = await withAlice(keys(150))
  const { pds, alice } = all
  for (let i = 0; i < 20; i++) {
    const { body } = await pds.request(`/xrpc/${sync('getRepo')}?did=${alice.did}`)
    if (i % 2 === 0) await body!.getReader().read()
    await body!.cancel().catch(() => {})
  }
  const again = await pds.query(sync('getRepo'), { params: { did: alice.did } })
  assert.equal(again.status, 200)
})

test('[Y2] getRecord proves what is there, and what is not', async () => {
  await using all = await withAlice(keys(60))
  const { pds, alice, key } = all
  const prove = async (rkey: string) => {
    const { status, body } = await pds.query(sync('getRecord'), {
      params: { did: alice.did, collection: NOTE, rkey },
    })
    assert.equal(status, 200)
    return verifyRecordProof(readCar(body), `${NOTE}/${rkey}`, { did: alice.did, key }).record
  }
  const found = await prove('k030')
  assert.deepEqual(decode(found!.bytes), { $type: NOTE, rkey: 'k030' })
  assert.equal(await prove('absent'), null)
})

test('[Y3] getBlocks gives records, nodes and the commit, or says what is missing', async () => {
  await using all = await withAlice(keys(20))
  const { pds, alice } = all
  const whole = readCar((await pds.query(sync('getRepo'), { params: { did: alice.did } })).body)
  const cids = [...whole.blocks].map(({ cid }) => cid.toString())
  const { body } = await pds.query(sync('getBlocks'), { params: { did: alice.did, cids } })
  assert.deepEqual(
    [...readCar(body).blocks].map(({ cid }) => cid.toString()),
    cids,
  )
  const absent = 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a'
  const missing = await pds.query(sync('getBlocks'), { params: { did: alice.did, cids: [cids[0]!, absent] } })
  assert.deepEqual([missing.status, missing.body.error], [400, 'BlockNotFound'])
  assert.match(missing.body.message, new RegExp(absent))
})

test('[Y4] [Y5] [Y6] heads and statuses, of accounts that are not active too', async () => {
  await using all = await withAlice()
  const { pds, alice } = all
  const others = []
  for (const name of ['bob', 'carol']) others.push(await pds.createAccount(name))
  const [bob, carol] = others
  await pds.procedure('com.atproto.server.deactivateAccount', { token: bob!.accessJwt, body: {} })

  const latest = await pds.query(sync('getLatestCommit'), { params: { did: alice.did } })
  const status = await pds.query(sync('getRepoStatus'), { params: { did: alice.did } })
  assert.deepEqual(status.body, { did: alice.did, active: true, rev: latest.body.rev })
  const inactive = await pds.query(sync('getRepoStatus'), { params: { did: bob!.did } })
  assert.deepEqual(
    [inactive.status, inactive.body],
    [200, { did: bob!.did, active: false, status: 'deactivated' }],
  )
  const unknown = await pds.query(sync('getRepoStatus'), { params: { did: 'did:plc:unknown' } })
  assert.deepEqual([unknown.status, unknown.body.error], [400, 'RepoNotFound'])
  for (const name of ['getLatestCommit', 'getRepo', 'listBlobs']) {
    const { status: code, body } = await pds.query(sync(name), { params: { did: bob!.did } })
    assert.deepEqual([code, body.error], [400, 'RepoDeactivated'], name)
  }

  const listed: Record<string, unknown>[] = []
  for (let cursor: string | undefined; ; ) {
    const { body } = await pds.query(sync('listRepos'), { params: { limit: 2, ...(cursor && { cursor }) } })
    listed.push(...body.repos)
    cursor = body.cursor
    if (cursor === undefined) break
  }
  assert.deepEqual(
    listed.map(({ did, active, status: why }) => [did, active, why]),
    [
      [alice.did, true, undefined],
      [bob!.did, false, 'deactivated'],
      [carol!.did, true, undefined],
    ],
  )
  assert.deepEqual([listed[0]!['head'], listed[0]!['rev']], [latest.body.cid, latest.body.rev])
  assert.equal((await pds.query(sync('listRepos'), { params: { cursor: 'x' } })).status, 400)
})

test('[F1] [F2] [F3] [F5] [Y9] a new account is identity, account, commit, sync, then commits in order', async () => {
  await using all = await withAlice()
  const { pds, alice, write, key } = all
  await write('createRecord', { collection: NOTE, rkey: 'one', record: { n: 1 } })
  await write('putRecord', { collection: NOTE, rkey: 'one', record: { n: 2 } })
  await write('deleteRecord', { collection: NOTE, rkey: 'one' })
  const events = await pds.events()
  assert.deepEqual(
    events.map(({ type }) => type),
    ['#identity', '#account', '#commit', '#sync', '#commit', '#commit', '#commit'],
  )
  assert.deepEqual(
    events.map(({ body }) => body['seq']),
    [1, 2, 3, 4, 5, 6, 7],
  )
  const [identity, account, genesis, repoSync, ...commits] = events.map(({ body }) => body)
  assert.deepEqual([identity!['did'], identity!['handle']], [alice.did, 'alice.test'])
  assert.deepEqual([account!['did'], account!['active'], 'status' in account!], [alice.did, true, false])

  let head: Parameters<typeof verifyCommit>[1]['account'] | undefined
  for (const body of [genesis!, ...commits]) {
    const verdict = verifyCommit(parseCommitEvent(body), {
      account: head,
      signingKey: key,
      nowMs: pds.clock.now(),
    })
    assert.ok(verdict.accepted, JSON.stringify(verdict))
    assert.deepEqual(verdict.findings, [])
    head = { status: 'active', head: verdict.state }
    assert.deepEqual([body['blobs'], body['tooBig'], body['rebase']], [[], false, false])
  }
  assert.equal('prevData' in genesis!, false)
  assert.equal(genesis!['since'], null)
  assert.deepEqual(
    commits.map(({ ops }) =>
      ops.map((op: Record<string, unknown>) => [op['action'], 'prev' in op, op['cid'] === null]),
    ),
    [[['create', false, false]], [['update', true, false]], [['delete', true, true]]],
  )

  // The commit alone, and the same as the event before.
  const verdict = verifySync(parseSyncEvent(repoSync!), {
    account: undefined,
    signingKey: key,
    nowMs: pds.clock.now(),
  })
  assert.ok(verdict.accepted)
  assert.equal(readCar(repoSync!['blocks']).blocks.size, 1)
  assert.equal(repoSync!['rev'], genesis!['rev'])
})

test('[F2] [F10] random writes of every kind keep an unbroken, verifiable chain', async () => {
  await using all = await withAlice()
  const { pds, write, key } = all
  const random = createRandom(42)
  const alive = new Set<string>()
  for (let round = 0; round < 25; round++) {
    const writes = new Map<string, object>()
    for (let i = 0; i < 1 + random.int(8); i++) {
      const rkey = random.pick(keys(60))
      if (writes.has(rkey)) continue
      const type = (name: string) => `com.atproto.repo.applyWrites#${name}`
      if (!alive.has(rkey)) writes.set(rkey, create(rkey, { round }))
      else if (random.chance(0.5))
        writes.set(rkey, { $type: type('update'), collection: NOTE, rkey, value: { round } })
      else writes.set(rkey, { $type: type('delete'), collection: NOTE, rkey })
      if ((writes.get(rkey) as { $type: string }).$type.endsWith('delete')) alive.delete(rkey)
      else alive.add(rkey)
    }
    const { status, body } = await write('applyWrites', { writes: [...writes.values()] })
    assert.equal(status, 200, JSON.stringify(body))
  }
  let head: Parameters<typeof verifyCommit>[1]['account'] | undefined
  let commits = 0
  for (const { type, body } of await pds.events()) {
    if (type !== '#commit') continue
    commits++
    const verdict = verifyCommit(parseCommitEvent(body), {
      account: head,
      signingKey: key,
      nowMs: pds.clock.now(),
    })
    assert.ok(verdict.accepted && verdict.findings.length === 0, JSON.stringify(verdict))
    head = { status: 'active', head: verdict.state }
  }
  assert.equal(commits, 26)

  // Nodes that no tree needs any more are gone, and all others are there.
  const whole = readCar((await pds.query(sync('getRepo'), { params: { did: all.alice.did } })).body)
  const { records } = verifyRepo(whole, { did: all.alice.did, key })
  const isRecord = new Set([...records.values()].map(String))
  const nodes = [...whole.blocks].filter(({ cid }) => !isRecord.has(`${cid}`) && !whole.roots[0]!.equals(cid))
  using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'), { readOnly: true })
  assert.equal(database.prepare('SELECT count(*) AS n FROM node').get()!['n'], nodes.length)
})

test('[F4] [F5] an account that goes says so, and no commit follows', async () => {
  await using all = await withAlice()
  const { pds, alice, write } = all
  // Sent together: whichever comes first, no commit comes after the account went.
  const results = await Promise.all([
    write('createRecord', { collection: NOTE, record: {} }),
    pds.procedure('com.atproto.server.deactivateAccount', { token: alice.accessJwt, body: {} }),
    write('createRecord', { collection: NOTE, record: {} }),
  ])
  assert.equal(results[1].status, 200)
  const events = await pds.events()
  const gone = events.findIndex(({ type, body }) => type === '#account' && body['active'] === false)
  assert.equal(events[gone]!.body['status'], 'deactivated')
  assert.equal(events.length, gone + 1)
})

test('[F6] [F9] cursors: live, from the beginning, past the head, and older than what is kept', async () => {
  await using all = await withAlice()
  const { pds, write } = all
  assert.deepEqual(await readEvents(pds.pds, undefined), [])
  assert.equal((await pds.events(0)).length, 4)
  assert.deepEqual(
    (await pds.events(2)).map(({ body }) => body['seq']),
    [3, 4],
  )
  assert.deepEqual(await pds.events(4), [])
  const [future] = await pds.events(5)
  assert.deepEqual([future!.type, future!.body['error']], ['error', 'FutureCursor'])
  const negative = await pds.events(-1)
  assert.equal(negative[0]!.body['error'], 'InvalidRequest')
  const refused = pds.pds.upgrade(
    new Request('https://pds.test/xrpc/com.atproto.sync.subscribeRepos?cursor=x'),
  )
  assert.ok(refused instanceof Response && refused.status === 400)

  // Events past the replay window go.
  pds.clock.advance(25 * 3_600_000)
  await write('createRecord', { collection: NOTE, record: {} }).then(({ body }) =>
    assert.equal(body.error, 'ExpiredToken'),
  )
  await pds.createAccount('bob')
  await pds.pds.maintain()
  await using later = await pds.restart()
  const outdated = await later.events(1)
  assert.deepEqual([outdated[0]!.type, outdated[0]!.body['name']], ['#info', 'OutdatedCursor'])
  assert.deepEqual(
    outdated.slice(1).map(({ body }) => body['seq']),
    [5, 6, 7, 8],
  )
  assert.deepEqual(
    (await later.events(0)).map(({ body }) => body['seq']),
    [5, 6, 7, 8],
  )
})

test('[F7] numbers go on after a restart', async () => {
  await using all = await withAlice()
  const { pds } = all
  await using later = await pds.restart()
  await later.createAccount('bob')
  assert.deepEqual(
    (await later.events(4)).map(({ body }) => body['seq']),
    [5, 6, 7, 8],
  )
})

test('[Y9] a live reader hears of a write as soon as it is durable', async () => {
  await using all = await withAlice()
  const { pds, write } = all
  const upgrade = pds.pds.upgrade(new Request('https://pds.test/xrpc/com.atproto.sync.subscribeRepos'))
  assert.ok(!(upgrade instanceof Response))
  const stop = new AbortController()
  const messages = upgrade.messages(stop.signal)[Symbol.asyncIterator]()
  const next = messages.next()
  await write('createRecord', { collection: NOTE, record: {} })
  const batch = await next
  assert.equal(batch.done, false)
  stop.abort()
  assert.equal((await messages.next()).done, true)
})

test('[Y1] only so many repositories are read at a time: whoever comes then is told when to come again', async () => {
  await using pds = await openTestPds({
    ports: { exportLimits: { ...DEFAULT_EXPORT_LIMITS, maxRunning: 1 } },
  })
  const { did } = await pds.createAccount('alice')
  const ask = (name = 'getRepo') => pds.request(`/xrpc/com.atproto.sync.${name}?did=${did}`)
  const first = await ask()
  for (const name of ['getRepo', 'getCheckout']) {
    const second = await ask(name)
    assert.deepEqual([second.status, second.headers.get('retry-after')], [503, '5'])
    assert.equal(((await second.json()) as { error: string }).error, 'NotEnoughResources')
  }
  await first.body!.cancel()
  const third = await ask()
  assert.equal(third.status, 200)
  await third.arrayBuffer()
  const head = await pds.request(`/xrpc/com.atproto.sync.getRepo?did=${did}`, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal((await ask()).status, 200, 'neither one that was read to its end nor a HEAD counts')
})
