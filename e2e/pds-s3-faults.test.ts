// Blobs and backups in S3 behind a proxy that falls silent, refuses, loses answers, and spoils bytes.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { createS3Store } from '@imago/object-store-s3'
import {
  checkBackup,
  createBackup,
  openBlobStore,
  openOrCreateBackupRepository,
  restoreBackup,
} from '@imago/pds/backup'
import { openBlobInventory, verifyDataDirectory } from '@imago/pds/recovery'
import { createRandom } from '@imago/sim/random'
import { type Fault, startS3TestServer } from '@imago/sim/s3-server'
import { openTestPds } from '../services/pds/test/test-pds.ts'
import {
  type Applies,
  isMethod,
  refusing,
  silent,
  spoiling,
  UPLOAD_FAULTS,
  whileBroken,
} from './s3-faults.ts'

const NOTE = 'com.example.note'
/** Longer than an answer takes on a busy machine, and short enough to be waited for. */
const PATIENCE_MS = 1_000

async function openOnS3() {
  const server = await startS3TestServer()
  const blobsBucket = {
    ...server.location,
    requestTimeoutMs: PATIENCE_MS,
    uploadTimeoutMs: PATIENCE_MS,
    maxAttempts: 1,
  }
  const pds = await openTestPds({ config: { blobsBucket, blobUploadLimitBytes: 1_000_000 } })
  const { did, accessJwt: token } = await pds.createAccount('alice')
  const upload = (body: Uint8Array) =>
    pds.procedure('com.atproto.repo.uploadBlob', { token, body, headers: { 'content-type': 'x/y' } })
  const refer = (blob: object) =>
    pds.procedure('com.atproto.repo.putRecord', {
      token,
      body: { repo: did, collection: NOTE, rkey: 'self', record: { blob } },
    })
  const getBlob = (cid: string) => pds.request(`/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${cid}`)
  return {
    server,
    pds,
    blobsBucket,
    upload,
    refer,
    getBlob,
    /** That rows and objects agree, and all is served that was acknowledged. */
    async assertSound() {
      await using blobs = await openBlobInventory({ blobsDirectory: '', blobsBucket })
      const found = await Array.fromAsync(
        verifyDataDirectory({ dataDirectory: pds.folder, blobs, now: pds.clock.now }),
      )
      assert.deepEqual(
        found.filter(({ type }) => type === 'finding'),
        [],
      )
    },
    async [Symbol.asyncDispose]() {
      await pds[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const blobRef = (bytes: Uint8Array) => ({
  $type: 'blob',
  ref: { $link: cidOfRaw(bytes).toString() },
  mimeType: 'x/y',
  size: bytes.length,
})

for (const [name, fault] of UPLOAD_FAULTS)
  test(`[B7] an upload to a server that ${name} is not acknowledged, and can be sent again`, async () => {
    await using opened = await openOnS3()
    const { server, upload, refer, getBlob, assertSound } = opened
    const bytes = createRandom(1).bytes(50_000)
    const fired = await whileBroken(server, isMethod('PUT'), fault, async () => {
      const { status } = await upload(bytes)
      assert.ok(status >= 500, String(status))
    })
    assert.ok(fired > 0, 'the fault fired')
    assert.equal((await refer(blobRef(bytes))).body.error, 'BlobNotFound')
    await assertSound()
    const { body } = await upload(bytes)
    assert.equal((await refer(body.blob)).status, 200)
    const served = await getBlob(body.blob.ref.$link)
    assert.deepEqual(new Uint8Array(await served.arrayBuffer()), bytes)
    await assertSound()
  })

test('[B7] a blob from a server that stalls, refuses, breaks off or sends other bytes is never served as if whole', async () => {
  await using opened = await openOnS3()
  const { server, upload, refer, getBlob, assertSound } = opened
  const bytes = createRandom(2).bytes(300_000)
  const { blob } = (await upload(bytes)).body
  assert.equal((await refer(blob)).status, 200)
  const answers: [string, number, Fault][] = [
    ['falls silent', 503, silent],
    ['refuses', 503, refusing],
    [
      'stops in the middle',
      200,
      {
        request(_, outgoing) {
          outgoing
            .writeHead(200, { 'content-length': String(bytes.length) })
            .write(bytes.subarray(0, 100_000))
          return true
        },
      },
    ],
    ['spoils a byte', 200, spoiling],
  ]
  for (const [name, status, fault] of answers) {
    const fired = await whileBroken(server, isMethod('GET'), fault, async () => {
      const answer = await getBlob(blob.ref.$link)
      assert.equal(answer.status, status, name)
      const read = answer.arrayBuffer()
      await (status === 200 ? assert.rejects(read) : read)
    })
    assert.ok(fired > 0, `${name}: the fault fired`)
  }
  assert.deepEqual(new Uint8Array(await (await getBlob(blob.ref.$link)).arrayBuffer()), bytes)
  await assertSound()
})

test('[M10] a backup to a server that stalls, loses answers or spoils bytes fails, says so, and the next one is whole', async () => {
  await using server = await startS3TestServer()
  await using pds = await openTestPds()
  await pds.createAccount('alice')
  const { location } = server
  using store = createS3Store({
    ...location,
    requestTimeoutMs: PATIENCE_MS,
    uploadTimeoutMs: PATIENCE_MS,
    maxAttempts: 1,
  })
  const open = () =>
    openOrCreateBackupRepository({
      store,
      secret: { kind: 'keyFile', key: new Uint8Array(32).fill(1) },
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      now: pds.clock.now,
      holder: { machine: 'test', pid: 1 },
      // Whoever made a backup that failed is gone.
      isAlive: () => false,
    })
  await using blobs = await openBlobStore({ blobsDirectory: join(pds.folder, 'blobs') })
  const backUp = async () =>
    createBackup({
      repository: await open(),
      dataDirectory: pds.folder,
      blobs,
      configuration: { environment: { PDS_PORT: '2583' }, keepYourself: [] },
      publicUrl: 'https://pds.test',
      now: pds.clock.now,
    })
  const repository = await open()
  const isData: Applies = ({ url = '' }) => /chunks|backups/.test(url) && !url.includes('list-type')
  for (const [name, fault] of UPLOAD_FAULTS) {
    const applies: Applies = (request) => request.method === 'PUT' && isData(request)
    const fired = await whileBroken(server, applies, fault, () => assert.rejects(backUp()))
    assert.ok(fired > 0, `${name}: the fault fired`)
    // What is listed is whole, whatever was said of it.
    for (const { key } of await repository.backups()) await checkBackup(repository, key, { read: [] })
    pds.clock.advance(1_000)
  }
  const { backup, sent } = await backUp()
  await checkBackup(repository, backup.key, { read: sent })
  const folder = mkdtempSync(join(tmpdir(), 'imago-restore-'))
  try {
    const target = join(folder, 'restored')
    const restore = () => restoreBackup({ repository, backup: backup.key, target, now: pds.clock.now })
    const applies: Applies = (request) => request.method === 'GET' && isData(request)
    const fired = await whileBroken(server, applies, spoiling, () => assert.rejects(restore()))
    assert.ok(fired > 0, 'the fault fired')
    assert.equal((await restore()).accounts, 1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
