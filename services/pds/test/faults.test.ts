import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { parseDidKey } from '@imago/crypto'
import { cidOfDrisl, encode, readCar } from '@imago/data'
import { verifyRepo } from '@imago/repo'
import { parseCommitEvent, verifyCommit } from '@imago/sync'
import { createTidClock } from '@imago/syntax'
import type { RepoStore } from '../src/repos/repo-store.ts'
import { createRepoWriter, type RepoWriter } from '../src/repos/repo-writer.ts'
import { openTestPds, type TestAccount, type TestPds } from './test-pds.ts'

const NOTE = 'com.example.note'

const create = (pds: TestPds, { did, accessJwt: token }: TestAccount, rkey: string, more: object = {}) =>
  pds.procedure('com.atproto.repo.createRecord', {
    token,
    body: { repo: did, collection: NOTE, rkey, record: { rkey }, ...more },
  })

/** Runs SQL on the file from outside, as somebody else would. */
function sabotage(pds: TestPds, sql: string): void {
  using connection = new DatabaseSync(join(pds.folder, 'pds.sqlite'))
  connection.exec(sql)
}

/** What the repository holds, as a stranger finds it, and that it is whole and signed. */
async function recordsOf(pds: TestPds, { did }: TestAccount): Promise<string[]> {
  const { body } = await pds.query('com.atproto.sync.getRepo', { params: { did } })
  const { roots, blocks } = readCar(body)
  return [...verifyRepo({ roots, blocks }, { did, key: keyOf(pds, did) }).records.keys()].map(
    (path) => path.split('/')[1]!,
  )
}

const keyOf = (pds: TestPds, did: TestAccount['did']) =>
  parseDidKey(`did:key:${pds.plc.document(did).verificationMethod![0]!.publicKeyMultibase}`)

/** That the stream tells of an unbroken chain that ends where the repository stands. Returns how many commits it has. */
async function assertChain(pds: TestPds, { did }: TestAccount): Promise<number> {
  let account: Parameters<typeof verifyCommit>[1]['account']
  let commits = 0
  for (const { type, body } of await pds.events()) {
    if (type !== '#commit' || body['repo'] !== did) continue
    const verdict = verifyCommit(parseCommitEvent(body), {
      account,
      signingKey: keyOf(pds, did),
      nowMs: pds.clock.now(),
    })
    assert.ok(verdict.accepted && verdict.findings.length === 0, JSON.stringify(verdict))
    account = { status: 'active', head: verdict.state }
    commits++
  }
  const { body } = await pds.query('com.atproto.sync.getLatestCommit', { params: { did } })
  assert.equal(body.rev, account?.head?.rev)
  return commits
}

/** A store whose next commits fail, having written or not. */
function failingStore() {
  const plan: ('before' | 'after')[] = []
  let fired = 0
  const wrapRepoStore = (store: RepoStore): RepoStore => ({
    ...store,
    async commit(changes) {
      const when = plan.shift()
      if (when !== undefined) fired++
      if (when === 'before') throw new Error('injected: the store did not write')
      const outcomes = await store.commit(changes)
      if (when === 'after') throw new Error('injected: the store wrote, and said no')
      return outcomes
    },
  })
  return { plan, ports: { wrapRepoStore }, fired: () => fired }
}

test('a write that fails leaves no trace, and does not disturb those that are committed with it', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const bob = await pds.createAccount('bob')
  const answers = await Promise.all([
    create(pds, alice, 'a1'),
    create(pds, alice, 'a1'),
    create(pds, bob, 'b1', { swapCommit: 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a' }),
    create(pds, alice, 'a2'),
    create(pds, bob, 'b2'),
  ])
  const outcomes = answers.map(({ status, body }) => [status, body.error])
  // Which of two that come at once is the first is for their tokens' verification, on threads, to say.
  const [first, second] = outcomes.splice(0, 2).sort(([a], [b]) => a - b)
  assert.deepEqual(
    [first, second, ...outcomes],
    [
      [200, undefined],
      [400, 'InvalidRequest'],
      [400, 'InvalidSwap'],
      [200, undefined],
      [200, undefined],
    ],
  )
  assert.deepEqual(await recordsOf(pds, alice), ['a1', 'a2'])
  assert.deepEqual(await recordsOf(pds, bob), ['b2'])
  assert.equal(await assertChain(pds, alice), 3)
  assert.equal(await assertChain(pds, bob), 2)
})

test('a statement that fails in the middle of a batch costs its own write only', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const bob = await pds.createAccount('bob')
  sabotage(
    pds,
    `CREATE TRIGGER broken BEFORE INSERT ON record WHEN NEW.path LIKE '%/broken'
      BEGIN SELECT RAISE(ABORT, 'injected: the disk is full'); END`,
  )
  const answers = await Promise.all([
    create(pds, alice, 'a1'),
    create(pds, bob, 'broken'),
    create(pds, alice, 'a2'),
    create(pds, bob, 'b2'),
  ])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 500, 200, 200],
  )
  assert.deepEqual(answers[1]!.body, { error: 'InternalServerError', message: 'Internal server error' })
  assert.equal(
    pds.logged.filter((line) => line.includes('injected: the disk is full')).length,
    1,
    'the fault fired',
  )
  assert.deepEqual(await recordsOf(pds, alice), ['a1', 'a2'])
  assert.deepEqual(await recordsOf(pds, bob), ['b2'])
  await assertChain(pds, alice)
  await assertChain(pds, bob)
})

for (const when of ['before', 'after'] as const)
  test(`memory equals disk when the store fails ${when} having written`, async () => {
    const { plan, ports, fired } = failingStore()
    await using pds = await openTestPds({ ports })
    const alice = await pds.createAccount('alice')
    await create(pds, alice, 'first')
    plan.push(when)
    const failed = await Promise.all([create(pds, alice, 'x'), create(pds, alice, 'y')])
    assert.deepEqual(
      failed.map(({ status }) => status),
      [500, 500],
    )
    assert.equal(fired(), 1, 'the fault fired')
    const kept = when === 'before' ? ['first'] : ['first', 'x', 'y']
    assert.deepEqual(await recordsOf(pds, alice), kept)
    const next = await create(pds, alice, 'zzz')
    assert.equal(next.status, 200)
    assert.deepEqual(await recordsOf(pds, alice), [...kept, 'zzz'])
    assert.equal(await assertChain(pds, alice), kept.length + 2)
    await using later = await pds.restart()
    assert.deepEqual(await recordsOf(later, alice), [...kept, 'zzz'])
  })

test('nobody is told that nothing has to change on the strength of a write that then fails', async () => {
  const { plan, ports, fired } = failingStore()
  await using pds = await openTestPds({ ports })
  const alice = await pds.createAccount('alice')
  // From here on the session is known, so that what is sent together arrives together, and in order.
  await create(pds, alice, 'first')
  const put = () =>
    pds.procedure('com.atproto.repo.putRecord', {
      token: alice.accessJwt,
      body: { repo: alice.did, collection: NOTE, rkey: 'self', record: { n: 1 } },
    })
  plan.push('before')
  const [first, second] = await Promise.all([put(), put()])
  assert.equal(fired(), 1, 'the fault fired')
  assert.equal(first!.status, 500)
  // The second had nothing to do after the first; now that there is no first, it writes.
  assert.deepEqual([second!.status, 'commit' in second!.body], [200, true])
  assert.deepEqual(await recordsOf(pds, alice), ['first', 'self'])

  // The same for an error: a record that was never created does not stand in the way.
  plan.push('before')
  const [lost, made] = await Promise.all([create(pds, alice, 'x'), create(pds, alice, 'x')])
  assert.equal(fired(), 2, 'the fault fired')
  assert.deepEqual([lost!.status, made!.status], [500, 200])
  assert.deepEqual(await recordsOf(pds, alice), ['first', 'self', 'x'])
})

test('a head that somebody else moved is read anew, and the write decided again', async () => {
  let interfere: (() => Promise<unknown>) | undefined
  let fired = 0
  let rival: RepoWriter | undefined
  await using pds = await openTestPds({
    ports: {
      wrapRepoStore(store) {
        // A second engine on the same repositories, as a tool of the operator might be.
        rival = createRepoWriter({
          store,
          clock: createTidClock({ nowMicros: () => 1e15, clockId: 7 }),
          now: () => 0,
          selfCheck: () => undefined,
          onUnfitCommit() {},
        })
        return {
          ...store,
          async commit(changes) {
            const work = interfere
            interfere = undefined
            if (work) {
              fired++
              await work()
            }
            return store.commit(changes)
          },
        }
      },
    },
  })
  const alice = await pds.createAccount('alice')
  await create(pds, alice, 'first')
  const bytes = encode({ $type: NOTE })
  const block = { cid: cidOfDrisl(bytes), bytes }
  interfere = () =>
    rival!.write(alice.did, () => [{ action: 'create', path: `${NOTE}/theirs`, block, blobs: [] }])
  const ours = await create(pds, alice, 'ours')
  assert.equal(ours.status, 200)
  assert.equal(fired, 1, 'the interference fired')
  assert.deepEqual(await recordsOf(pds, alice), ['first', 'ours', 'theirs'])
})

test('[F10] a commit that does not pass our own checks goes out as #sync, with an alarm', async () => {
  let unfit = false
  await using pds = await openTestPds({
    ports: { selfCheck: () => (unfit ? 'inversion: injected' : undefined) },
  })
  const alice = await pds.createAccount('alice')
  unfit = true
  const { status, body } = await create(pds, alice, 'one')
  assert.equal(status, 200)
  const last = (await pds.events()).at(-1)!
  assert.deepEqual([last.type, last.body['did'], last.body['rev']], ['#sync', alice.did, body.commit.rev])
  assert.deepEqual(readCar(last.body['blocks']).roots.map(String), [body.commit.cid])
  assert.ok(pds.logged.some((line) => line.includes('inversion: injected') && line.includes('"error"')))
  assert.match(await pds.metrics.text(), /unfit_commits_total 1/)
  assert.deepEqual(await recordsOf(pds, alice), ['one'])
})

test('[S2] an account that cannot be stored takes back the DID that was made for it, and no other', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  sabotage(
    pds,
    `CREATE TRIGGER broken BEFORE INSERT ON repo BEGIN SELECT RAISE(ABORT, 'injected: the disk is full'); END`,
  )
  const body = { handle: 'bob.test', password: 'x' }
  const failed = await pds.procedure('com.atproto.server.createAccount', { body })
  assert.equal(failed.status, 500)
  assert.ok(
    pds.logged.some((line) => line.includes('injected: the disk is full')),
    'the fault fired',
  )
  const orphan = pds.plc.dids.find((did) => did !== alice.did)!
  assert.deepEqual(
    pds.plc.operations(orphan).map(({ type }) => type),
    ['plc_operation', 'plc_tombstone'],
  )
  assert.equal(pds.plc.operations(alice.did).length, 1)
  assert.equal((await pds.events()).length, 4)
  sabotage(pds, 'DROP TRIGGER broken')
  assert.equal((await pds.procedure('com.atproto.server.createAccount', { body })).status, 200)
})

test('[R1] a clock that steps back does not stop writing: revisions go on', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const first = await create(pds, alice, 'one')
  pds.clock.advance(-60_000)
  const second = await create(pds, alice, 'two')
  assert.ok(second.body.commit.rev > first.body.commit.rev)
  assert.equal(await assertChain(pds, alice), 3)
})

test('an event that cannot be stored takes back what it was to announce, and its number is given to the next', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const bob = await pds.createAccount('bob')
  await create(pds, alice, 'first')
  const { body: car } = await pds.query('com.atproto.sync.getRepo', { params: { did: alice.did } })
  await create(pds, alice, 'second')
  const before = await pds.events()
  const head = () => pds.query('com.atproto.sync.getLatestCommit', { params: { did: alice.did } })
  const { body: latest } = await head()
  sabotage(
    pds,
    `CREATE TRIGGER broken BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'injected: the disk is full'); END`,
  )
  const { did, accessJwt: token } = alice
  const operator = { authorization: `Basic ${Buffer.from('admin:operator').toString('base64')}` }
  const attempts: [string, Parameters<TestPds['procedure']>[1]][] = [
    ['com.atproto.repo.createRecord', { token, body: { repo: did, collection: NOTE, record: {} } }],
    ['com.atproto.repo.deleteRecord', { token, body: { repo: did, collection: NOTE, rkey: 'first' } }],
    [
      'com.atproto.repo.importRepo',
      { token, body: car, headers: { 'content-type': 'application/vnd.ipld.car' } },
    ],
    ['com.atproto.server.deactivateAccount', { token, body: {} }],
    ['com.atproto.admin.deleteAccount', { headers: operator, body: { did } }],
    ['com.atproto.server.createAccount', { body: { handle: 'carol.test', password: 'x' } }],
  ]
  for (const [method, options] of attempts) {
    const told = () => pds.logged.filter((line) => line.includes('injected: the disk is full')).length
    const count = told()
    assert.equal((await pds.procedure(method, options)).status, 500, method)
    assert.ok(told() > count, `${method}: the fault fired`)
  }
  assert.deepEqual(await pds.events(), before)
  assert.deepEqual((await head()).body, latest)
  sabotage(pds, 'DROP TRIGGER broken')
  assert.equal((await create(pds, bob, 'next')).status, 200)
  assert.equal((await create(pds, alice, 'third')).status, 200)
  const [next, after, ...none] = await pds.events(before.at(-1)!.body['seq'])
  assert.deepEqual(none, [])
  assert.equal(next!.body['seq'], before.at(-1)!.body['seq'] + 1)
  assert.equal(after!.body['seq'], before.at(-1)!.body['seq'] + 2)
  assert.deepEqual(await recordsOf(pds, alice), ['first', 'second', 'third'])
  await assertChain(pds, alice)
  await using later = await pds.restart()
  assert.deepEqual(await recordsOf(later, alice), ['first', 'second', 'third'])
})

test('[R1] [F7] a clock that jumps an hour back and forth between writes: revisions and numbers ascend, people stay signed in', async () => {
  const HOUR_MS = 3_600_000
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const bob = await pds.createAccount('bob')
  const startedAt = pds.clock.now()
  const steps = [HOUR_MS, -HOUR_MS, -HOUR_MS, HOUR_MS, HOUR_MS, -HOUR_MS]
  const revs: string[] = []
  for (const [n, stepMs] of steps.entries()) {
    pds.clock.advance(stepMs)
    const answers = await Promise.all([
      create(pds, alice, `a${n}`),
      create(pds, bob, `b${n}`),
      create(pds, alice, `c${n}`),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
      `after a step of ${stepMs} ms`,
    )
    revs.push(answers[0]!.body.commit.rev, answers[2]!.body.commit.rev)
    // A session that is made at any of these times is good at all others.
    const login = await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: 'bob.test', password: 'password of bob' },
    })
    assert.equal(login.status, 200)
    pds.clock.advance(-stepMs)
    for (const token of [login.body.accessJwt, alice.accessJwt])
      assert.equal((await pds.query('com.atproto.server.getSession', { token })).status, 200)
    const refreshed = await pds.procedure('com.atproto.server.refreshSession', {
      token: login.body.refreshJwt,
    })
    assert.equal(refreshed.status, 200)
    pds.clock.advance(stepMs)
  }
  assert.equal(pds.clock.now(), startedAt)
  assert.deepEqual(revs, [...revs].sort())
  assert.equal(new Set(revs).size, revs.length)
  const seqs = (await pds.events()).map(({ body }) => body['seq'] as number)
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => seqs[0]! + index),
  )
  // Readers judge by clocks of their own: by then the times of all revisions have come.
  pds.clock.advance(HOUR_MS)
  assert.equal(await assertChain(pds, alice), 1 + 2 * steps.length)
  await using later = await pds.restart()
  assert.equal((await create(later, alice, 'later')).status, 200)
  assert.equal(await assertChain(later, alice), 2 + 2 * steps.length)
})

test('everything that was answered is there after a restart', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const keys = Array.from({ length: 40 }, (_, i) => `k${String(i).padStart(2, '0')}`)
  await Promise.all(keys.map((rkey) => create(pds, alice, rkey)))
  const events = await pds.events()
  await using later = await pds.restart()
  assert.deepEqual(await recordsOf(later, alice), keys)
  assert.deepEqual(await later.events(), events)
  assert.equal((await create(later, alice, 'later')).status, 200)
  assert.equal(await assertChain(later, alice), 42)
})
