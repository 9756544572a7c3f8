// The two ports of blobs, each of whose operations fails once, having done its work or not.
import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { BlockMap, type Cid, cidOfRaw } from '@imago/data'
import { openSqliteLog } from '@imago/log/sqlite'
import { createMemoryStore } from '@imago/object-store/memory'
import { writeCommit } from '@imago/repo'
import { createManualClock } from '@imago/sim/clock'
import { type Did, tidFromMicros } from '@imago/syntax'
import { type BlobFiles, createBlobFiles } from '../src/blobs/blob-files.ts'
import type { BlobIndex } from '../src/blobs/blob-index.ts'
import { createSqliteBlobIndex } from '../src/blobs/blob-index-sqlite.ts'
import { createBlobs, TEMPORARY_BLOB_LIFETIME_MS } from '../src/blobs/blobs.ts'
import { openDatabase } from '../src/database/database.ts'
import { createSqliteRepoStore } from '../src/repos/repo-store-sqlite.ts'
import { createFaults } from './one-fault.ts'

const did: Did = 'did:plc:alice'
const bytes = new TextEncoder().encode('a blob')
const cid = cidOfRaw(bytes)

/** Blobs of one account on a memory store and a database in memory, with faults on both sides. */
function openBlobs() {
  const clock = createManualClock()
  const database = openDatabase(':memory:')
  const log = openSqliteLog(database.sqlite, { table: 'event', now: clock.now })
  const repos = createSqliteRepoStore(database, log)
  const keypair = generateKeypair('k256')
  const rev = tidFromMicros(clock.now() * 1000, 0)
  const { signed, newBlocks } = writeCommit({
    did,
    source: new BlockMap(),
    head: null,
    writes: [],
    rev,
    keypair,
  })
  database.transaction(() =>
    repos.insertInTransaction({
      did,
      signingKey: keypair.exportSecret(),
      head: { cid: signed.cid, rev, data: signed.commit.data, commitBytes: signed.bytes },
      nodes: [...newBlocks].filter((block) => !block.cid.equals(signed.cid)),
      status: undefined,
    }),
  )
  const faults = createFaults()
  const store = createMemoryStore()
  const times = new Map<string, number>()
  const sound = createBlobFiles(
    {
      ...store,
      async *list(prefix) {
        for await (const object of store.list(prefix))
          yield { ...object, modifiedAt: times.get(object.key) ?? clock.now() }
      },
    },
    { root: '', folderOf: (owner) => owner, ownerOf: (folder) => folder as Did },
  )
  const files: BlobFiles = {
    ...sound,
    stage: (owner, body, maxBytes) =>
      faults.pass('stage', async () => {
        const staged = await sound.stage(owner, body, maxBytes)
        return {
          ...staged,
          keep: () =>
            faults.pass('keep', async () => {
              await staged.keep()
              times.set(`${owner}/${staged.cid}`, clock.now())
            }),
        }
      }),
    read: (owner, wanted, range) => faults.pass('read', () => sound.read(owner, wanted, range)),
    remove: (owner, unwanted) => faults.pass('remove', () => sound.remove(owner, unwanted)),
  }
  const whole = createSqliteBlobIndex(database, repos)
  const index: BlobIndex = {
    ...whole,
    add: (...args) => faults.pass('add', () => whole.add(...args)),
    get: (...args) => faults.pass('get', () => whole.get(...args)),
    usage: (...args) => faults.pass('usage', () => whole.usage(...args)),
    removeTrash: (blob) => faults.pass('removeTrash', () => whole.removeTrash(blob)),
    removeExpired: (...args) => faults.pass('removeExpired', () => whole.removeExpired(...args)),
  }
  const failures: string[] = []
  const blobs = createBlobs({
    files,
    index,
    now: clock.now,
    maxBytes: 1_000,
    quota: { maxBytes: 10_000, maxCount: 10 },
    onRemovalFailure: (_, error) => failures.push(String(error)),
  })
  return {
    blobs,
    faults,
    failures,
    clock,
    index: whole,
    has: (blob: Cid) => store.objects.has(`${did}/${blob}`),
    lose: (blob: Cid) => store.objects.delete(`${did}/${blob}`),
    upload: () =>
      blobs.upload(
        did,
        (async function* () {
          yield bytes
        })(),
        'text/plain',
      ),
    async [Symbol.asyncDispose]() {
      await whole[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
      database[Symbol.dispose]()
    },
  }
}

type Opened = ReturnType<typeof openBlobs>

/** What may never be: a row whose bytes are not there. */
async function assertNoLoss({ index, has }: Opened): Promise<void> {
  if ((await index.get(did, cid)) !== undefined) assert.ok(has(cid), 'a row has its bytes')
}

async function readAll({ blobs, index }: Opened): Promise<Uint8Array> {
  const pieces = await blobs.read(did, (await index.get(did, cid))!)
  const parts: Uint8Array[] = []
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) parts.push(next.value)
  return new Uint8Array(Buffer.concat(parts))
}

for (const when of ['before', 'after'] as const) {
  for (const operation of ['usage', 'stage', 'get', 'keep', 'add'])
    test(`[B1] an upload whose ${operation} fails ${when} its work is not acknowledged, and can be sent again`, async () => {
      await using opened = openBlobs()
      const { upload, faults, index } = opened
      faults.breakNext(operation, when)
      await assert.rejects(upload(), /injected/)
      assert.equal(faults.fired, 1)
      await assertNoLoss(opened)
      const { count } = await index.usage(did)
      assert.equal(count, operation === 'add' && when === 'after' ? 1 : 0)

      assert.equal(String((await upload()).ref), String(cid))
      assert.deepEqual(await readAll(opened), bytes)
      assert.deepEqual(await index.usage(did), { count: 1, bytes: bytes.length })
    })

  for (const operation of ['keep', 'add'])
    test(`[B3] nothing is left a day after an upload whose ${operation} failed ${when} its work`, async () => {
      await using opened = openBlobs()
      const { upload, faults, blobs, clock, index, has } = opened
      faults.breakNext(operation, when)
      await assert.rejects(upload(), /injected/)
      assert.equal(faults.fired, 1)
      clock.advance(TEMPORARY_BLOB_LIFETIME_MS + 1)
      await blobs.sweep()
      await assertNoLoss(opened)
      assert.deepEqual([await index.get(did, cid), has(cid)], [undefined, false])
    })

  for (const operation of ['removeExpired', 'get', 'remove', 'removeTrash'])
    test(`[B3] a sweep whose ${operation} fails ${when} its work is made good by the next`, async () => {
      await using opened = openBlobs()
      const { upload, faults, failures, blobs, clock, index, has } = opened
      await upload()
      clock.advance(TEMPORARY_BLOB_LIFETIME_MS + 1)
      faults.breakNext(operation, when)
      // What fails for one blob is noted; what fails for all of them stops the sweep.
      await blobs.sweep().catch((error) => failures.push(String(error)))
      assert.equal(faults.fired, 1)
      assert.match(failures.join(), /injected/)
      await assertNoLoss(opened)
      await blobs.sweep()
      assert.deepEqual([await index.get(did, cid), has(cid)], [undefined, false])
      assert.deepEqual(await index.listTrash(10), [])
      await upload()
      assert.deepEqual(await readAll(opened), bytes)
    })
}

test('a blob that cannot be read now can be read later', async () => {
  await using opened = openBlobs()
  await opened.upload()
  for (const when of ['before', 'after'] as const) {
    opened.faults.breakNext('read', when)
    await assert.rejects(readAll(opened), /injected/)
    assert.deepEqual(await readAll(opened), bytes)
  }
  assert.equal(opened.faults.fired, 2)
})

test('[B1] bytes that are there are not put a second time, and bytes that were lost come back', async () => {
  await using opened = openBlobs()
  const { upload, faults, lose } = opened
  await upload()
  faults.breakNext('keep', 'before')
  assert.equal(String((await upload()).ref), String(cid))
  assert.equal(faults.fired, 0, 'nobody put them')
  lose(cid)
  await assert.rejects(upload(), /injected/)
  assert.equal(faults.fired, 1)
  await upload()
  assert.deepEqual(await readAll(opened), bytes)
})
