// A reference PDS whose blobs lie in a bucket: taken over within the bucket or to a folder, and handed back.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { createS3Store, type S3Store } from '@imago/object-store-s3'
import { infrastructureTest } from '@imago/sim/infrastructure'
import { realS3Server, type S3Location, startS3TestServer } from '@imago/sim/s3-server'
import type { Did } from '@imago/syntax'
import { AdoptError, adoptReference, handBackToReference } from '../src/adopt.ts'
import { readConfig } from '../src/config.ts'
import { openBlobInventory, verifyDataDirectory } from '../src/recovery.ts'
import { SAMPLE_ENVIRONMENT, type SampleReference, writeSampleReference } from './reference-data.ts'
import { openTestPds } from './test-pds.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const bytesOf = (text: string) => new TextEncoder().encode(text)

interface Setup extends SampleReference, AsyncDisposable {
  readonly store: S3Store
  readonly options: Parameters<typeof adoptReference>[0]
  /** Keys of all objects, ours and the reference's; the bucket may have others. */
  keys(): Promise<string[]>
  /** Every object of the reference, with its bytes. */
  theirs(): Promise<Map<string, string>>
  /** As the server starts with the environment of the reference and what adopt has told to set beside it. */
  open(settings: Readonly<Record<string, string>>): ReturnType<typeof openTestPds>
}

/** A row of a blob that no record refers to, as an upload or a takedown leaves it. */
function addBlob(
  reference: SampleReference,
  did: Did,
  content: Uint8Array,
  more: { tempKey?: string; ref?: string },
) {
  const cid = cidOfRaw(content).toString()
  reference.edit(did, (sqlite) =>
    sqlite
      .prepare(
        'INSERT INTO blob (cid, mimeType, size, tempKey, createdAt, takedownRef) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(
        cid,
        'text/plain',
        content.length,
        more.tempKey ?? null,
        new Date(NOW).toISOString(),
        more.ref ?? null,
      ),
  )
  return cid
}

async function setUp(location: S3Location, accounts = 3): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-adopt-s3-'))
  const reference = writeSampleReference(folder, { accounts, nowMs: NOW - 3_600_000 })
  const store = createS3Store(location)
  for (const { did, blob } of reference.accounts)
    await store.put(
      `blocks/${did}/${blob.cid}`,
      readFileSync(join(reference.blobsFolder, did, blob.cid.toString())),
    )
  rmSync(reference.blobsFolder, { recursive: true })
  const environment = {
    ...SAMPLE_ENVIRONMENT,
    PDS_BLOBSTORE_S3_BUCKET: location.bucket,
    PDS_BLOBSTORE_S3_ENDPOINT: location.endpoint,
    PDS_BLOBSTORE_S3_FORCE_PATH_STYLE: '1',
    PDS_BLOBSTORE_S3_ACCESS_KEY_ID: location.accessKeyId,
    PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY: location.secretAccessKey,
  }
  const options = { source: folder, environment, now: () => NOW }
  async function keys(): Promise<string[]> {
    const found: string[] = []
    for await (const { key } of store.list(''))
      if (reference.accounts.some(({ did }) => key.includes(`/${did}/`))) found.push(key)
    return found.sort()
  }
  return {
    ...reference,
    store,
    options,
    keys,
    async theirs() {
      const found = new Map<string, string>()
      for (const key of await keys()) {
        if (key.startsWith('imago/')) continue
        const { body } = (await store.get(key))!
        found.set(key, Buffer.concat(await Array.fromAsync(body)).toString('base64'))
      }
      return found
    },
    open(settings) {
      const { config } = readConfig({ ...environment, PDS_DATA_DIRECTORY: folder, ...settings })
      const { blobsBucket, blobsDirectory } = config
      return openTestPds({ folder, ports: { now: () => NOW }, config: { blobsBucket, blobsDirectory } })
    },
    async [Symbol.asyncDispose]() {
      for (const key of await keys()) await store.delete(key)
      store[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Taken over, used, and handed back, in the reference's own bucket. */
async function throughTheBucket(location: S3Location): Promise<void> {
  await using reference = await setUp(location)
  const { store, options } = reference
  const [alice, bob] = reference.accounts as [
    SampleReference['accounts'][number],
    SampleReference['accounts'][number],
  ]
  const upload = addBlob(reference, alice.did, bytesOf('upload'), { tempKey: 'abcdefgh234567' })
  await store.put(`tmp/${alice.did}/abcdefgh234567`, bytesOf('upload'))
  addBlob(reference, alice.did, bytesOf('broken off'), { tempKey: 'never' })
  const bad = addBlob(reference, bob.did, bytesOf('bad'), { ref: 'mod-1' })
  await store.put(`quarantine/${bob.did}/${bad}`, bytesOf('bad'))
  const before = await reference.theirs()

  const dry = await adoptReference({ ...options, dryRun: true })
  assert.deepEqual([dry.blobs, dry.blobTakedowns, dry.unfinishedUploads, dry.lostBlobs], [5, 1, 1, []])
  assert.deepEqual(await reference.keys(), [...before.keys()].sort())

  const report = await adoptReference(options)
  assert.deepEqual(
    [report.blobs, report.blobTakedowns, report.unfinishedUploads, report.lostBlobs],
    [5, 1, 1, []],
  )
  assert.deepEqual([report.blobsDirectory, report.blobsBucket], [undefined, `${location.bucket}/imago/`])
  assert.deepEqual(report.settings, { PDS_BLOBSTORE_S3_PREFIX: 'imago/' })
  assert.deepEqual(await reference.theirs(), before, 'the source is as it was')

  {
    await using pds = await reference.open(report.settings)
    for (const { did, blob } of reference.accounts) {
      const { body } = await pds.query('com.atproto.sync.getBlob', {
        params: { did, cid: blob.cid.toString() },
      })
      assert.deepEqual(new Uint8Array(body), blob.bytes)
    }
    const { blobsBucket, blobsDirectory } = readConfig({ ...options.environment, ...report.settings }).config
    await using blobs = await openBlobInventory({ blobsBucket, blobsDirectory })
    const found = await Array.fromAsync(
      verifyDataDirectory({ dataDirectory: reference.folder, blobs, now: () => NOW }),
    )
    assert.deepEqual(
      found.filter(({ type }) => type === 'finding'),
      [],
    )

    const session = await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: alice.handle, password: alice.password },
    })
    const token = session.body.accessJwt
    const fresh = await pds.procedure('com.atproto.repo.uploadBlob', {
      token,
      body: bytesOf('fresh'),
      headers: { 'content-type': 'text/plain' },
    })
    const writes = [
      ['upload', { $type: 'blob', ref: { $link: upload }, mimeType: 'text/plain', size: 6 }],
      ['fresh', fresh.body.blob],
    ].map(([rkey, blob]) => ({
      $type: 'com.atproto.repo.applyWrites#create',
      collection: 'com.example.note',
      rkey,
      value: { $type: 'com.example.note', blob },
    }))
    const written = await pds.procedure('com.atproto.repo.applyWrites', {
      token,
      body: { repo: alice.did, writes },
    })
    assert.equal(written.status, 200, JSON.stringify(written.body))
    assert.deepEqual(await reference.theirs(), before, 'and stays as it was')
  }

  const back = await handBackToReference(options)
  assert.deepEqual([back.changed, back.failed], [1, []])
  const expected = new Map(before)
  expected.delete(`tmp/${alice.did}/abcdefgh234567`)
  for (const text of ['upload', 'fresh'])
    expected.set(`blocks/${alice.did}/${cidOfRaw(bytesOf(text))}`, Buffer.from(text).toString('base64'))
  assert.deepEqual(await reference.theirs(), expected)
}

test('[U4] [B7] blobs in a bucket are taken over within it, used, and handed back', async () => {
  await using server = await startS3TestServer()
  await throughTheBucket(server.location)
})

const real = realS3Server()
infrastructureTest(
  '[B7] blobs in a bucket of a real S3 server are taken over, used and handed back',
  real.missing,
  () => throughTheBucket(real.location!),
)

test('blobs in a bucket come into a folder, where that is wanted', async () => {
  await using server = await startS3TestServer()
  await using reference = await setUp(server.location)
  const before = await reference.theirs()
  const blobsDirectory = join(reference.folder, 'our-blobs')
  const report = await adoptReference({ ...reference.options, blobsDirectory })
  assert.deepEqual([report.blobs, report.lostBlobs, report.blobsDirectory], [3, [], blobsDirectory])
  assert.deepEqual(report.settings, {
    PDS_BLOBSTORE_S3_BUCKET: '',
    PDS_BLOBSTORE_DISK_LOCATION: blobsDirectory,
  })
  assert.deepEqual(await reference.theirs(), before)
  await using pds = await reference.open(report.settings)
  const { did, blob } = reference.accounts[0]!
  const { body } = await pds.query('com.atproto.sync.getBlob', { params: { did, cid: blob.cid.toString() } })
  assert.deepEqual(new Uint8Array(body), blob.bytes)
})

for (const where of ['bucket', 'folder'] as const)
  test(`[B3] objects that are gone, cut off or spoiled are named, and do not get into our ${where}`, async () => {
    await using server = await startS3TestServer()
    await using reference = await setUp(server.location, 4)
    const { store, options, accounts } = reference
    const key = (n: number) => `blocks/${accounts[n]!.did}/${accounts[n]!.blob.cid}`
    await store.delete(key(0))
    await store.put(key(1), accounts[1]!.blob.bytes.subarray(1))
    await store.put(key(2), accounts[2]!.blob.bytes.toReversed())
    const blobsDirectory = where === 'folder' ? join(reference.folder, 'ours') : undefined
    const report = await adoptReference({ ...options, blobsDirectory })
    assert.deepEqual(
      report.lostBlobs.map(({ did, reason }) => [did, reason]),
      [
        [accounts[0]!.did, 'its object is missing'],
        [accounts[1]!.did, 'its object has other bytes'],
        [accounts[2]!.did, 'its object has other bytes'],
      ],
    )
    const ours =
      blobsDirectory === undefined
        ? (await Array.fromAsync(store.list('imago/'))).map(({ key }) => key)
        : accounts
            .map(({ did, blob }) => join(blobsDirectory, encodeURIComponent(did), `${blob.cid}`))
            .filter(existsSync)
    assert.equal(ours.length, 1)
    assert.ok(ours[0]!.endsWith(`/${accounts[3]!.blob.cid}`))
  })

test('a body that breaks off is asked for again; when that does not help, the takeover stops, and goes on later', async () => {
  await using server = await startS3TestServer()
  await using reference = await setUp(server.location)
  const options = { ...reference.options, blobsDirectory: join(reference.folder, 'ours') }
  let broken = 0
  let limit = Number.POSITIVE_INFINITY
  server.fault = {
    // A body that loses its last bytes on the way.
    answered(request, response) {
      if (!request.url!.includes('/blocks/') || request.method !== 'GET' || broken >= limit) return false
      broken++
      response.writeHead(200, { 'content-length': '200' })
      response.write('x')
      setImmediate(() => response.destroy())
      return true
    },
  }
  await assert.rejects(adoptReference(options), { name: 'ObjectStoreError' })
  assert.ok(broken >= 3, `${broken} answers were broken off`)
  broken = 0
  limit = 2
  const report = await adoptReference(options)
  assert.equal(broken, 2)
  assert.deepEqual([report.adopted, report.blobs, report.lostBlobs], [3, 3, []])
})

test('a bucket that cannot be read is refused before anything is written', async () => {
  await using server = await startS3TestServer()
  await using reference = await setUp(server.location, 1)
  const refuse = (more: Record<string, string>, message: RegExp) =>
    assert.rejects(
      adoptReference({ ...reference.options, environment: { ...reference.options.environment, ...more } }),
      (error: Error) => error instanceof AdoptError && message.test(error.message),
    )
  await refuse(
    { PDS_BLOBSTORE_S3_BUCKET: 'another' },
    /the bucket another of the reference PDS cannot be read/,
  )
  await refuse({ PDS_BLOBSTORE_DISK_LOCATION: '/pds/blocks' }, /keep the one that blobs lie in/)
  await refuse({ PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY: '' }, /one is missing/)
  assert.equal(existsSync(join(reference.folder, 'pds.sqlite')), false)
})
