import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { createMemoryStore } from '@imago/object-store/memory'
import {
  type BackupError,
  checkBackup,
  createBackup,
  findBackup,
  restoreBackup,
  sweep,
} from '../src/backup.ts'
import {
  backUp,
  blobBytes,
  blobsOf,
  NOTE,
  post,
  postBlob,
  random,
  repositoryIn,
  temporaryFolder,
} from './backup-fixture.ts'
import { openTestPds } from './test-pds.ts'

const HOUR_MS = 3_600_000

test('a second backup sends what changed, and the keys of blobs and chunks say nothing about them', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  for (let n = 0; n < 3; n++) await postBlob(pds, alice, n)
  const writes = Array.from({ length: 200 }, (_, n) => ({
    $type: 'com.atproto.repo.applyWrites#create',
    collection: NOTE,
    rkey: `post-${n}`,
    value: { text: random.bytes(600).toHex() },
  }))
  const written = await pds.procedure('com.atproto.repo.applyWrites', {
    token: alice.accessJwt,
    body: { repo: alice.did, writes },
  })
  assert.equal(written.status, 200, pds.logged.join())
  const store = createMemoryStore()
  const repository = await repositoryIn(store, pds.clock.now)
  const first = await backUp(pds, repository)
  assert.equal(first.manifest.blobs.count, 3)
  assert.ok(first.sentBytes > 150_000, `${first.sentBytes} bytes`)

  pds.clock.advance(1000)
  const idle = await backUp(pds, repository)
  assert.deepEqual([idle.sent, idle.sentBytes], [[], 0], 'nothing changed, nothing sent')

  await post(pds, alice, 'one-more')
  const second = await backUp(pds, repository)
  assert.ok(second.sentBytes > 0 && second.sent.every((key) => key.startsWith('chunks/')))
  // A write touches a few pages, each of which may lie in another chunk.
  assert.ok(second.sent.length <= 8 && second.sentBytes < first.sentBytes, `${second.sent.length} objects`)
  const blob = await postBlob(pds, alice, 9)
  const third = await backUp(pds, repository)
  assert.equal(third.sent.filter((key) => key.startsWith('blobs/')).length, 1)

  const everything = [...store.objects]
    .map(([key, bytes]) => key + new TextDecoder('latin1').decode(bytes))
    .join()
  for (const told of [alice.did, 'post-1', blob, 'secret', 'PDS_'])
    assert.ok(!everything.includes(told), `${told} cannot be found in the repository`)
  const other = await repositoryIn(createMemoryStore(), pds.clock.now)
  const content = new Uint8Array(10)
  assert.notEqual(other.chunkKey(content), repository.chunkKey(content), 'another repository has other names')
})

test('damage to any object is found and named, by the check and by a restore', async (t) => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  await postBlob(pds, alice, 1)
  await postBlob(pds, alice, 2)
  const store = createMemoryStore()
  const repository = await repositoryIn(store, pds.clock.now)
  const { backup, sent, manifest } = await backUp(pds, repository)
  const listed = new Set([...manifest.database.lists, ...manifest.blobs.lists, manifest.configuration])
  const kinds = {
    manifest: backup.key,
    'list of chunks': manifest.database.lists[0]!,
    'list of blobs': manifest.blobs.lists[0]!,
    configuration: manifest.configuration,
    'chunk of the database': sent.find((key) => key.startsWith('chunks/') && !listed.has(key))!,
    blob: sent.find((key) => key.startsWith('blobs/'))!,
  }
  const spoil: Record<string, (bytes: Uint8Array, key: string) => Uint8Array | undefined> = {
    'a changed bit': (bytes) => bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1),
    'a changed salt': (bytes) => bytes.with(0, bytes[0]! ^ 1),
    'a cut': (bytes) => bytes.subarray(0, -1),
    'all cut off': () => new Uint8Array(0),
    'another object': (_, key) => store.objects.get([...store.objects.keys()].find((one) => one !== key)!),
    'a neighbour of its kind': (_, key) =>
      store.objects.get(
        [...store.objects.keys()].findLast((one) => one !== key && one.slice(0, 5) === key.slice(0, 5)) ??
          HEADER,
      ),
    'its absence': () => undefined,
  }
  const folder = temporaryFolder(t)
  let n = 0
  for (const [kind, key] of Object.entries(kinds))
    for (const [what, change] of Object.entries(spoil)) {
      const bytes = store.objects.get(key)!
      const spoiled = change(bytes, key)
      if (spoiled === undefined) store.objects.delete(key)
      else store.objects.set(key, spoiled)
      const named = (error: BackupError) =>
        error.key === key && error.message.includes(key) && /Damaged|Missing/.test(error.code)
      await assert.rejects(
        checkBackup(repository, backup.key, { read: sent }),
        named,
        `check: ${what} of a ${kind}`,
      )
      const target = join(folder, String(n++))
      const restoring = restoreBackup({ repository, backup: backup.key, target, now: pds.clock.now })
      // The lists of blobs are for clearing away: the database names its blobs itself.
      if (kind === 'list of blobs') await restoring
      else {
        await assert.rejects(restoring, named, `restore: ${what} of a ${kind}`)
        assert.ok(!existsSync(join(target, 'pds.sqlite')), 'no database appears')
      }
      store.objects.set(key, bytes)
    }
  await checkBackup(repository, backup.key, { read: sent })

  // What a person removed because it was named is sent again by the next backup.
  const removed = [kinds['chunk of the database'], kinds.blob, kinds.configuration]
  for (const key of removed) store.objects.delete(key)
  const next = await backUp(pds, repository)
  assert.deepEqual([...next.sent].sort(), removed.sort())
  await checkBackup(repository, backup.key, { read: sent })
})

const HEADER = 'imago-backup.json'

test('a blob that goes away in good order during a backup is not missed; one that was lost is named', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const kept = await postBlob(pds, alice, 1)
  const lost = await postBlob(pds, alice, 2)
  const { body } = await pds.procedure('com.atproto.repo.uploadBlob', {
    token: alice.accessJwt,
    body: blobBytes(3),
    headers: { 'content-type': 'image/png' },
  })
  const abandoned = body.blob.ref.$link
  const folder = join(pds.folder, 'blobs')
  const file = (cid: string) => join(folder, encodeURIComponent(alice.did), cid)
  writeFileSync(file(lost), 'something else')
  pds.clock.advance(25 * 3_600_000)
  const { objects, folderOf } = await blobsOf(pds)
  let reads = 0
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  const { manifest } = await createBackup({
    repository,
    dataDirectory: pds.folder,
    blobs: {
      folderOf,
      objects: {
        ...objects,
        async get(key) {
          // The abandoned upload goes away just before it would be read: its bytes are gone, and then its row.
          if (key.endsWith(abandoned) && reads++ < 2) {
            if (reads === 2) await pds.pds.maintain()
            return undefined
          }
          return objects.get(key)
        },
      },
    },
    configuration: { environment: {}, keepYourself: [] },
    publicUrl: 'https://pds.test',
    now: pds.clock.now,
  })
  assert.equal(reads, 2, 'it was asked for, and was gone')
  assert.deepEqual(manifest.missingBlobs, [{ did: alice.did, cid: lost }])
  assert.equal(manifest.blobs.count, 1, kept)
})

test('a folder without a database, and a second backup of one at the same time, are refused', async (t) => {
  await using pds = await openTestPds()
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  const options = {
    repository,
    blobs: await blobsOf(pds),
    configuration: { environment: {}, keepYourself: [] },
    publicUrl: 'https://pds.test',
    now: pds.clock.now,
  }
  await assert.rejects(createBackup({ ...options, dataDirectory: temporaryFolder(t) }), {
    code: 'NoDatabase',
  })
  const results = await Promise.allSettled([backUp(pds, repository), backUp(pds, repository)])
  const refused = results.filter((result) => result.status === 'rejected')
  assert.equal(refused.length, 1)
  assert.equal((refused[0]!.reason as BackupError).code, 'Busy')
})

test('a backup is restored for a test: the first one whole, a later one as far as it is new, and damage is found', async () => {
  await using pds = await openTestPds()
  const [alice, bob] = [await pds.createAccount('alice'), await pds.createAccount('bob')]
  await post(pds, alice, 'one', { text: random.bytes(400_000).toHex() })
  for (let seed = 0; seed < 3; seed++) await postBlob(pds, alice, seed)
  const store = createMemoryStore()
  const repository = await repositoryIn(store, pds.clock.now)
  pds.clock.advance(1000)
  const tried = async () => (await backUp(pds, repository, { test: true })).test!
  const first = await tried()
  assert.ok(first.chunks > 3)
  assert.deepEqual(
    [first.fetchedChunks, first.checkedAccounts, first.readBlobs, first.findings],
    [first.chunks, 2, 3, []],
  )
  assert.equal(existsSync(join(pds.folder, 'backup.tmp', 'restored.sqlite')), false)

  pds.clock.advance(60_000)
  await post(pds, bob, 'two')
  const second = await tried()
  assert.deepEqual([second.checkedAccounts, second.readBlobs, second.findings], [1, 3, []])

  // A server whose own data are damaged: the copy is as damaged, and that is told.
  pds.clock.advance(60_000)
  let whole: Uint8Array
  {
    using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'))
    const { bytes } = database.prepare(`SELECT bytes FROM record WHERE path = '${NOTE}/two'`).get() as {
      bytes: Uint8Array
    }
    whole = bytes
    database.exec(`UPDATE record SET bytes = x'a0' WHERE path = '${NOTE}/two'`)
  }
  await post(pds, bob, 'three')
  const third = await tried()
  assert.deepEqual(
    [...new Set(third.findings.map(({ code, did }) => `${code} ${did}`))],
    [`record-invalid ${bob.did}`],
  )

  // Told each time, until it is mended: only a backup that was found good is built upon.
  pds.clock.advance(60_000)
  assert.deepEqual((await tried()).findings, third.findings)
  {
    using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'))
    database.prepare(`UPDATE record SET bytes = ? WHERE path = '${NOTE}/two'`).run(whole)
  }
  pds.clock.advance(60_000)
  assert.deepEqual((await tried()).findings, [])

  // What a test restore reads and what it does not read it names.
  pds.clock.advance(60_000)
  const keys = (await Array.fromAsync(store.list('blobs/'))).map(({ key }) => key)
  for (const key of keys) await store.put(key, new Uint8Array(100))
  await assert.rejects(tried(), { code: 'Damaged' })
  for (const key of keys) await store.delete(key)
  pds.clock.advance(60_000)
  assert.deepEqual((await tried()).readBlobs, 3, 'they are sent anew')
})

test('a clock that is set back does not make a backup older than the one before it', async (t) => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  await backUp(pds, repository)
  for (const rkey of ['one', 'two']) {
    pds.clock.advance(-HOUR_MS)
    await post(pds, alice, rkey)
    const { backup, manifest } = await backUp(pds, repository)
    assert.equal(manifest.createdAt, pds.clock.now())
    assert.deepEqual(await findBackup(repository), backup, 'it is the newest')
  }
  const { removedBackups } = await sweep(repository, { keep: 1 })
  assert.equal(removedBackups.length, 2)
  const { key } = await findBackup(repository)
  const target = join(temporaryFolder(t), 'restored')
  await restoreBackup({ repository, backup: key, target, now: pds.clock.now })
  using database = new DatabaseSync(join(target, 'pds.sqlite'))
  const rows = database.prepare('SELECT path FROM record ORDER BY path').all()
  assert.deepEqual(
    rows.map(({ path }) => path),
    [`${NOTE}/one`, `${NOTE}/two`],
  )
})

test('a test restore after the clock was set back takes nothing for checked by its time', async () => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  const tried = async () => (await backUp(pds, repository, { test: true })).test!.checkedAccounts
  pds.clock.advance(HOUR_MS)
  assert.equal(await tried(), 1)
  pds.clock.advance(1000)
  assert.equal(await tried(), 0, 'it has not changed since')
  pds.clock.advance(-HOUR_MS)
  await post(pds, alice, 'one')
  pds.clock.advance(1000)
  assert.equal(await tried(), 1)
  pds.clock.advance(1000)
  assert.equal(await tried(), 0)
})
