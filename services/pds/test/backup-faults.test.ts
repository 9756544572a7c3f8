import assert from 'node:assert/strict'
import test from 'node:test'
import type { StagingStore } from '@imago/object-store'
import { createMemoryStore, type MemoryStore } from '@imago/object-store/memory'
import { type BackupRepository, checkBackup, sweep } from '../src/backup.ts'
import { backUp, NOTE, postBlob, repositoryIn } from './backup-fixture.ts'
import { openTestPds } from './test-pds.ts'

/** Whether the last change reached the store before its process was gone. */
const LAST_WORDS = ['unheard', 'heard'] as const

/** Stands for a process that is killed at its `n`th change: after that one, nothing reaches the store any more. */
function dyingStore(store: MemoryStore, n: number, last: (typeof LAST_WORDS)[number]) {
  let changes = 0
  async function change<T>(work: () => Promise<T>): Promise<T> {
    changes++
    if (changes < n) return work()
    if (changes === n && last === 'heard') await work()
    throw new Error('killed')
  }
  return {
    fired: () => changes >= n,
    store: {
      ...store,
      put: (key, body) => change(() => store.put(key, body)),
      delete: (key) => change(() => store.delete(key)),
    } satisfies StagingStore,
  }
}

/** Leases of the killed: here every holder has the same process id, which counts as alive. */
function buryDead(store: MemoryStore): void {
  for (const key of store.objects.keys()) if (key.startsWith('leases/')) store.objects.delete(key)
}

async function namedObjects(repository: BackupRepository): Promise<number> {
  let most = 0
  for (const { key } of await repository.backups())
    most = Math.max(most, (await checkBackup(repository, key, { read: [] })).objects)
  return most
}

for (const last of LAST_WORDS)
  test(`a backup that is killed at any of its writes, which was ${last}, leaves nothing wrong, and the next one goes on`, async () => {
    await using pds = await openTestPds()
    const alice = await pds.createAccount('alice')
    await postBlob(pds, alice, 1)
    await postBlob(pds, alice, 2)
    let points = 0
    for (let n = 1; ; n++) {
      const store = createMemoryStore()
      const dying = dyingStore(store, n, last)
      await repositoryIn(dying.store, pds.clock.now)
        .then((repository) => backUp(pds, repository))
        .catch((error) => assert.match(error.message, /killed/))
      if (!dying.fired()) break
      points++
      const before = [...store.objects.keys()].filter((key) => /^(chunks|blobs)/.test(key)).length
      buryDead(store)
      const repository = await repositoryIn(store, pds.clock.now)
      pds.clock.advance(1)
      const second = await backUp(pds, repository)
      const report = await checkBackup(repository, second.backup.key, { read: [] })
      assert.equal(
        second.sent.length,
        report.objects - before,
        `killed at ${n}: what was there is not sent again`,
      )
      const swept = await sweep(repository, { keep: 1 })
      assert.deepEqual([swept.removedObjects, swept.postponed], [0, false])
      await checkBackup(repository, second.backup.key, { read: second.sent })
    }
    assert.ok(points >= 10, `${points} points`)
  })

for (const last of LAST_WORDS)
  test(`clearing away removes nothing that a backup names, even when it is killed and its last change was ${last}`, async () => {
    await using pds = await openTestPds()
    const alice = await pds.createAccount('alice')
    const store = createMemoryStore()
    const repository = await repositoryIn(store, pds.clock.now)
    const keys: string[] = []
    for (let n = 0; n < 4; n++) {
      await postBlob(pds, alice, n)
      pds.clock.advance(1000)
      keys.push((await backUp(pds, repository)).backup.key)
    }
    await pds.procedure('com.atproto.repo.deleteRecord', {
      token: alice.accessJwt,
      body: { repo: alice.did, collection: NOTE, rkey: 'blob-0' },
    })
    pds.clock.advance(25 * 3_600_000)
    await pds.pds.maintain()
    keys.push((await backUp(pds, repository)).backup.key)
    const copy = new Map(store.objects)

    let points = 0
    for (let n = 1; ; n++) {
      store.objects.clear()
      for (const [key, bytes] of copy) store.objects.set(key, bytes)
      const dying = dyingStore(store, n, last)
      await sweep(await repositoryIn(dying.store, pds.clock.now), { keep: 2 }).catch(() => {})
      for (const { key } of await repository.backups()) await checkBackup(repository, key, { read: [] })
      if (!dying.fired()) break
      points++
      buryDead(store)
      await sweep(repository, { keep: 2 })
      assert.deepEqual(
        (await repository.backups()).map(({ key }) => key),
        keys.slice(-2),
      )
    }
    assert.ok(points >= 6, `${points} points`)
    const objects = [...store.objects.keys()].filter((key) => /^(chunks|blobs)/.test(key))
    await sweep(repository, { keep: 1 })
    const left = [...store.objects.keys()].filter((key) => /^(chunks|blobs)/.test(key))
    assert.ok(left.length < objects.length)
    assert.equal(left.length, await namedObjects(repository), 'nothing else is left')
    assert.equal(left.filter((key) => key.startsWith('blobs/')).length, 3)
  })

test('nothing is cleared away while a backup is being made, nor while one of them cannot be read', async () => {
  await using pds = await openTestPds()
  const store = createMemoryStore()
  const repository = await repositoryIn(store, pds.clock.now)
  const first = await backUp(pds, repository)
  pds.clock.advance(1000)
  await pds.createAccount('alice')
  const second = await backUp(pds, repository)
  {
    await using _ = await repository.takeLease('backup')
    assert.equal((await sweep(repository, { keep: 1 })).postponed, true)
  }
  const bytes = store.objects.get(second.backup.key)!
  store.objects.set(second.backup.key, bytes.subarray(1))
  const size = store.objects.size
  await assert.rejects(sweep(repository, { keep: 1 }), { code: 'Damaged', key: second.backup.key })
  assert.equal(store.objects.size, size)
  store.objects.set(second.backup.key, bytes)
  assert.deepEqual((await sweep(repository, { keep: 1 })).removedBackups, [first.backup])
  {
    await using _ = await repository.takeLease('alone')
    await assert.rejects(backUp(pds, repository), { code: 'Busy' })
  }
})
