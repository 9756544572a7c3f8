// The stores of imports and of accounts, each of whose operations fails once, having done its work or not. Those of
// repositories are in faults.test.ts, those of blobs in blob-faults.test.ts.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { readCar } from '@imago/data'
import { verifyRepo } from '@imago/repo'
import type { AccountStore } from '../src/accounts/account-store.ts'
import type { ImportStore, Staging } from '../src/imports/import-store.ts'
import { verifyDataDirectory } from '../src/recovery.ts'
import { importCar } from './arrival.ts'
import { createFaults } from './one-fault.ts'
import { openTestPds, type TestAccount, type TestPds } from './test-pds.ts'

const NOTE = 'com.example.note'
/** Of which an import makes two transactions. */
const RECORDS = 600
const OPERATOR = { authorization: `Basic ${Buffer.from('admin:operator').toString('base64')}` }

async function openWithFaults() {
  const faults = createFaults()
  const wrapStaging = (staging: Staging): Staging => ({
    present: staging.present,
    put: (...args) => faults.pass('put', () => staging.put(...args)),
    finish: (change) => faults.pass('finish', () => staging.finish(change)),
    discard: () => staging.discard(),
    [Symbol.dispose]: () => staging[Symbol.dispose](),
  })
  const wrapImportStore = (store: ImportStore): ImportStore => ({
    begin: (plan) =>
      faults.pass('begin', async () => {
        const staging = await store.begin(plan)
        return staging && wrapStaging(staging)
      }),
    sweep: (begunBefore) => faults.pass('sweep', () => store.sweep(begunBefore)),
  })
  const wrapAccountStore = (store: AccountStore): AccountStore => ({
    ...store,
    remove: (...args) => faults.pass('remove', () => store.remove(...args)),
  })
  const pds = await openTestPds({ ports: { wrapImportStore, wrapAccountStore } })
  return { pds, faults }
}

async function fill(pds: TestPds, { did, accessJwt: token }: TestAccount): Promise<void> {
  for (let first = 0; first < RECORDS; first += 200) {
    const writes = Array.from({ length: 200 }, (_, n) => ({
      $type: 'com.atproto.repo.applyWrites#create',
      collection: NOTE,
      rkey: `n${first + n}`,
      value: { $type: NOTE, n: first + n },
    }))
    const { status } = await pds.procedure('com.atproto.repo.applyWrites', {
      token,
      body: { repo: did, writes },
    })
    assert.equal(status, 200)
  }
}

const create = (pds: TestPds, { did, accessJwt: token }: TestAccount, rkey: string) =>
  pds.procedure('com.atproto.repo.createRecord', {
    token,
    body: { repo: did, collection: NOTE, rkey, record: {} },
  })

async function exported(pds: TestPds, did: TestAccount['did']) {
  const { body } = await pds.query('com.atproto.sync.getRepo', { params: { did } })
  return { car: body as Uint8Array, ...verifyRepo(readCar(body), { did }) }
}

/** That no tool finds anything, each number was given once, and the stream ends where the repository stands. */
async function assertSound(pds: TestPds, dids: readonly TestAccount['did'][]): Promise<void> {
  const found = await Array.fromAsync(verifyDataDirectory({ dataDirectory: pds.folder, now: pds.clock.now }))
  assert.deepEqual(
    found.filter(({ type }) => type === 'finding'),
    [],
  )
  const events = await pds.events()
  const seqs = events.map(({ body }) => body['seq'] as number)
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].sort((a, b) => a - b),
  )
  for (const did of dids) {
    const last = events.findLast(
      ({ type, body }) => /commit|sync/.test(type) && (body['did'] ?? body['repo']) === did,
    )
    assert.equal(last!.body['rev'], (await exported(pds, did)).commit.rev)
  }
}

/** Sweeping goes on in the background. */
async function assertSwept(pds: TestPds): Promise<void> {
  await pds.pds.maintain()
  using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'), { readOnly: true })
  const left = database.prepare(
    'SELECT (SELECT count(*) FROM repo_remnant) + (SELECT count(*) FROM unfinished_import) AS n',
  )
  const count = () => (left.get() as { n: number }).n
  for (let turn = 0; turn < 500 && count() > 0; turn++) await new Promise((done) => setImmediate(done))
  assert.equal(count(), 0)
}

for (const when of ['before', 'after'] as const) {
  for (const operation of ['begin', 'put', 'finish'])
    test(`[R8] an import whose ${operation} fails ${when} its work is all there or not at all, and can be sent again`, async () => {
      const { pds, faults } = await openWithFaults()
      await using _ = pds
      const alice = await pds.createAccount('alice')
      await fill(pds, alice)
      const { car, commit, records } = await exported(pds, alice.did)
      assert.equal((await create(pds, alice, 'later')).status, 200)
      const before = await exported(pds, alice.did)

      faults.breakNext(operation, when)
      assert.equal((await importCar(pds, alice.accessJwt, car)).status, 500)
      assert.equal(faults.fired, 1)
      const isThere = operation === 'finish' && when === 'after'
      const now = await exported(pds, alice.did)
      assert.deepEqual([...now.records], [...(isThere ? records : before.records)])
      await assertSound(pds, [alice.did])

      pds.clock.advance(1000)
      assert.equal((await importCar(pds, alice.accessJwt, car)).status, 200)
      assert.equal((await create(pds, alice, 'last')).status, 200)
      const after = await exported(pds, alice.did)
      assert.ok(after.commit.rev > commit.rev)
      after.records.delete(`${NOTE}/last`)
      assert.deepEqual([...after.records], [...records])
      await assertSwept(pds)
      await assertSound(pds, [alice.did])
      await using later = await pds.restart()
      await assertSound(later, [alice.did])
    })

  test(`[R8] a sweep that fails ${when} its work is made good by the next`, async () => {
    const { pds, faults } = await openWithFaults()
    await using _ = pds
    const alice = await pds.createAccount('alice')
    await fill(pds, alice)
    const { car } = await exported(pds, alice.did)
    faults.breakNext('sweep', when)
    assert.equal((await importCar(pds, alice.accessJwt, car)).status, 200)
    await assertSwept(pds)
    assert.equal(faults.fired, 1)
    await assertSound(pds, [alice.did])
  })

  test(`[B3] a deletion that fails ${when} its work takes all of the account or nothing`, async () => {
    const { pds, faults } = await openWithFaults()
    await using _ = pds
    const alice = await pds.createAccount('alice')
    const bob = await pds.createAccount('bob')
    const { body } = await pds.procedure('com.atproto.repo.uploadBlob', {
      token: bob.accessJwt,
      body: new Uint8Array(1000),
      headers: { 'content-type': 'x/y' },
    })
    await pds.procedure('com.atproto.repo.createRecord', {
      token: bob.accessJwt,
      body: { repo: bob.did, collection: NOTE, rkey: 'blob', record: { blob: body.blob } },
    })
    const remove = () =>
      pds.procedure('com.atproto.admin.deleteAccount', { headers: OPERATOR, body: { did: bob.did } })
    const kept = await pds.events()
    faults.breakNext('remove', when)
    assert.equal((await remove()).status, 500)
    assert.equal(faults.fired, 1)
    if (when === 'before') {
      assert.deepEqual(await pds.events(), kept)
      assert.equal((await create(pds, bob, 'still')).status, 200)
      await assertSound(pds, [alice.did, bob.did])
    }
    assert.equal((await remove()).status, when === 'before' ? 200 : 400)
    const told = (await pds.events()).filter(({ body }) => (body['did'] ?? body['repo']) === bob.did)
    assert.deepEqual(
      told.map(({ type, body }) => [type, body['status']]),
      [['#account', 'deleted']],
    )
    assert.ok(told[0]!.body['seq'] > kept.at(-1)!.body['seq'])
    assert.ok((await create(pds, bob, 'more')).status >= 400, 'nobody writes to it any more')
    await pds.pds.maintain()
    assert.equal(existsSync(join(pds.folder, 'blobs', encodeURIComponent(bob.did))), false)
    await assertSound(pds, [alice.did])
    await using later = await pds.restart()
    assert.equal((await create(later, alice, 'next')).status, 200)
    await assertSound(later, [alice.did])
  })
}
