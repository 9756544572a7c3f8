import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { createMemoryStore } from '@imago/object-store/memory'
import { checkBackup, findBackup, restoreBackup } from '../src/backup.ts'
import { verifyDataDirectory } from '../src/recovery.ts'
import { backUp, blobBytes, NOTE, post, postBlob, repositoryIn, temporaryFolder } from './backup-fixture.ts'
import { openTestPds } from './test-pds.ts'

test('[M10] [trap 67] a backup of a running server restores to one that has everything and goes on', async (t) => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const bob = await pds.createAccount('bob')
  const cid = await post(pds, alice, 'one')
  const blob = await postBlob(pds, alice, 1)
  await pds.procedure('com.atproto.server.deactivateAccount', { token: bob.accessJwt, body: {} })
  const store = createMemoryStore()
  const repository = await repositoryIn(store, pds.clock.now)
  const { backup, sent, manifest } = await backUp(pds, repository)
  assert.equal(manifest.accounts, 2)
  assert.equal((await checkBackup(repository, backup.key, { read: sent })).read, sent.length)

  // What comes after the backup is lost, and the world has seen it.
  const lost = await post(pds, alice, 'two')
  const seen = await pds.events()
  const lastRev = seen.findLast(({ type }) => type === '#commit')!.body['rev']
  pds.clock.advance(60_000)

  const target = join(temporaryFolder(t), 'restored')
  const report = await restoreBackup({ repository, backup: backup.key, target, now: pds.clock.now })
  assert.equal(report.accounts, 2)
  assert.ok(report.sequence > seen.at(-1)!.body['seq'])
  assert.equal(report.endedSessions, 2)
  assert.deepEqual(report.missingBlobs, [])
  assert.equal(
    readFileSync(join(target, 'pds.env'), 'utf8'),
    `PDS_HOSTNAME=pds.test\nPDS_JWT_SECRET="it's secret, \\$and long"\n`,
  )

  await using restored = await openTestPds({ folder: target, plc: pds.plc, clock: pds.clock, seed: 5 })
  const get = (rkey: string) =>
    restored.query('com.atproto.repo.getRecord', { params: { repo: alice.did, collection: NOTE, rkey } })
  assert.equal((await get('one')).body.cid, cid)
  assert.equal((await get('two')).status, 400, lost)
  const bytes = await restored.query('com.atproto.sync.getBlob', { params: { did: alice.did, cid: blob } })
  assert.deepEqual(bytes.body, blobBytes(1))
  assert.equal(
    (await restored.procedure('com.atproto.server.refreshSession', { token: alice.refreshJwt })).status,
    400,
  )
  // To whoever read up to the last event, the restored server says where everybody stands.
  const news = await restored.events(seen.at(-1)!.body['seq'])
  assert.deepEqual(
    news.map(({ type, body }) => [type, body['did'], body['active']]),
    [
      ['#identity', alice.did, undefined],
      ['#account', alice.did, true],
      ['#sync', alice.did, undefined],
      ['#identity', bob.did, undefined],
      ['#account', bob.did, false],
    ],
  )
  const sync = news[2]!.body
  assert.ok(sync['rev'] > lastRev, 'the revision is beyond any that was given')
  const latest = await restored.query('com.atproto.sync.getLatestCommit', { params: { did: alice.did } })
  assert.equal(latest.body.rev, sync['rev'])
  assert.ok(restored.logged.some((line) => line.includes('announced every repository anew')))
  const findings = await Array.fromAsync(verifyDataDirectory({ dataDirectory: target, now: pds.clock.now }))
  assert.deepEqual(
    findings.filter(({ type }) => type === 'finding'),
    [],
  )
  await using again = await restored.restart()
  assert.deepEqual(await again.events(news.at(-1)!.body['seq']), [], 'only once')
})

test('a restore goes on where it was broken off, into an empty folder or its own, and puts nothing away for good', async (t) => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  for (let n = 0; n < 4; n++) await postBlob(pds, alice, n)
  const store = createMemoryStore()
  const { now } = pds.clock
  const repository = await repositoryIn(store, now)
  const { backup } = await backUp(pds, repository)
  const target = join(temporaryFolder(t), 'restored')
  // One that was killed before it had begun.
  mkdirSync(target)
  for (const name of ['lock', 'lock-journal', 'restore.json.new']) writeFileSync(join(target, name), '')
  let left = 0
  const breaking = await repositoryIn(
    {
      ...store,
      get: (key) =>
        /^(chunks|blobs)/.test(key) && left-- <= 0 ? Promise.reject(new Error('killed')) : store.get(key),
    },
    now,
  )
  // Configuration and list come each time; one chunk and four blobs once.
  let breaks = 0
  for (; breaks < 20; breaks++) {
    left = 2 + breaks
    const done = await restoreBackup({ repository: breaking, backup: backup.key, target, now }).then(
      () => true,
      (error) => assert.match(error.message, /killed/),
    )
    if (done) break
    assert.ok(!existsSync(join(target, 'pds.sqlite')))
  }
  assert.ok(breaks >= 2, `${breaks} times`)
  const { endedSessions } = await restoreBackup({
    repository,
    backup: backup.key,
    target: `${target}-2`,
    keepSessions: true,
    now,
  })
  assert.equal(endedSessions, 0)

  await assert.rejects(restoreBackup({ repository, backup: backup.key, target, now }), {
    code: 'TargetNotEmpty',
  })
  pds.clock.advance(5)
  const again = await restoreBackup({ repository, backup: backup.key, target, force: true, now })
  assert.ok(existsSync(again.putAside!))
  assert.equal(again.fetched, 1, 'blobs that are there are not fetched again')
  await using server = await openTestPds({ folder: target, plc: pds.plc, clock: pds.clock, seed: 9 })
  await assert.rejects(restoreBackup({ repository, backup: backup.key, target, force: true, now }), {
    name: 'DataDirectoryInUseError',
  })
  assert.equal((await server.query('com.atproto.sync.listRepos')).body.repos.length, 1)
})

test('[F7] numbers and revisions go forward whatever the clock says, or nothing is restored', async (t) => {
  await using pds = await openTestPds()
  await pds.createAccount('alice')
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  const { backup, manifest } = await backUp(pds, repository)
  const target = join(temporaryFolder(t), 'restored')
  const at = pds.clock.now()
  await assert.rejects(restoreBackup({ repository, backup: backup.key, target, now: () => at - 1 }), {
    code: 'ClockBehind',
  })
  const report = await restoreBackup({ repository, backup: backup.key, target, now: () => at + 10_000 })
  assert.ok(report.sequence >= manifest.sequence + 10 * 100_000)
  const opening = openTestPds({ folder: target, plc: pds.plc, clock: pds.clock })
  await assert.rejects(opening, /was restored at .*: set the clock/)
  const told = await restoreBackup({
    repository,
    backup: backup.key,
    target: `${target}-2`,
    sequence: 9e15,
    now: () => at,
  })
  assert.equal(told.sequence, 9e15)
})

test('the newest backup that is no younger than a time is found, and one by its name', async () => {
  await using pds = await openTestPds()
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  await assert.rejects(findBackup(repository), { code: 'NoBackup' })
  const entries = []
  for (let n = 0; n < 3; n++) {
    entries.push((await backUp(pds, repository)).backup)
    pds.clock.advance(1000)
  }
  const [first, second, third] = entries
  assert.deepEqual(await findBackup(repository), third)
  assert.deepEqual(await findBackup(repository, second!.createdAt + 1), second)
  assert.deepEqual(await findBackup(repository, first!.key.slice('backups/'.length)), first)
  await assert.rejects(findBackup(repository, first!.createdAt - 1), { code: 'NoBackup' })
  await assert.rejects(findBackup(repository, 'never.json'), { code: 'NoBackup' })
})

test('a backup of a newer version is refused with the reason', async (t) => {
  await using pds = await openTestPds()
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  {
    using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'))
    database.exec('PRAGMA user_version = 1000')
  }
  const { backup } = await backUp(pds, repository)
  const target = join(temporaryFolder(t), 'restored')
  const restoring = restoreBackup({ repository, backup: backup.key, target, now: pds.clock.now })
  await assert.rejects(restoring, { code: 'TooNew', message: /has schema 1000/ })
  assert.ok(!existsSync(join(target, 'pds.sqlite')))
})
