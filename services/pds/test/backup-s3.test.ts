import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { createMemoryStore } from '@imago/object-store/memory'
import { createS3Store } from '@imago/object-store-s3'
import { startS3TestServer } from '@imago/sim/s3-server'
import {
  checkBackup,
  createBackup,
  openBackupRepository,
  openBlobStore,
  openOrCreateBackupRepository,
  restoreBackup,
  sweep,
} from '../src/backup.ts'
import { openBlobInventory, verifyDataDirectory } from '../src/recovery.ts'
import { postBlob, repositoryIn, temporaryFolder } from './backup-fixture.ts'
import { openTestPds } from './test-pds.ts'

test('backups in S3 are made, read back, cleared away and restored, also when the server stumbles', async (t) => {
  await using server = await startS3TestServer()
  await using pds = await openTestPds()
  using store = createS3Store({ ...server.location, prefix: 'pds/backups/' })
  const folder = mkdtempSync(join(tmpdir(), 'imago-backup-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ports = {
    store,
    secret: { kind: 'keyFile', key: new Uint8Array(32).fill(1) },
    randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    now: pds.clock.now,
    holder: { machine: 'test', pid: 1 },
    isAlive: () => true,
  } as const
  await using blobs = await openBlobStore({ blobsDirectory: join(pds.folder, 'blobs') })
  const backUp = async () =>
    createBackup({
      repository: await openOrCreateBackupRepository(ports),
      dataDirectory: pds.folder,
      blobs,
      configuration: { environment: { PDS_PORT: '2583' }, keepYourself: [] },
      publicUrl: 'https://pds.test',
      now: pds.clock.now,
    })

  await pds.createAccount('alice')
  let stumbles = 0
  server.fault = {
    request(_, response) {
      if (stumbles++ % 5 !== 0) return false
      response.writeHead(503).end()
      return true
    },
  }
  await backUp()
  server.fault = undefined
  assert.ok(stumbles > 5, 'the fault fired')

  await pds.createAccount('bob')
  pds.clock.advance(1000)
  const { backup, sent } = await backUp()
  const repository = await openBackupRepository(ports)
  await checkBackup(repository, backup.key, { read: sent })
  const { removedBackups, removedObjects } = await sweep(repository, { keep: 1 })
  assert.equal(removedBackups.length, 1)
  assert.ok(removedObjects >= 1)
  const target = join(folder, 'restored')
  const { accounts } = await restoreBackup({ repository, backup: backup.key, target, now: pds.clock.now })
  assert.equal(accounts, 2)
  const findings = await Array.fromAsync(verifyDataDirectory({ dataDirectory: target, now: pds.clock.now }))
  assert.deepEqual(
    findings.filter(({ type }) => type === 'finding'),
    [],
  )
})

test('blobs in a bucket are backed up, and those that are gone from it are put back', async (t) => {
  await using server = await startS3TestServer()
  const location = { blobsDirectory: '', blobsBucket: { ...server.location, prefix: 'blobs/' } }
  await using pds = await openTestPds({ config: { blobsBucket: location.blobsBucket } })
  const alice = await pds.createAccount('alice')
  const cids = await Promise.all([1, 2].map((seed) => postBlob(pds, alice, seed)))
  const repository = await repositoryIn(createMemoryStore(), pds.clock.now)
  await using blobs = await openBlobStore(location)
  const { backup, manifest } = await createBackup({
    repository,
    dataDirectory: pds.folder,
    blobs,
    configuration: { environment: {}, keepYourself: [] },
    publicUrl: 'https://pds.test',
    now: pds.clock.now,
  })
  assert.equal(manifest.blobs.count, 2)

  const keys = cids.map((cid) => `${blobs.folderOf(alice.did)}/${cid}`)
  await blobs.objects.delete(keys[0]!)
  const target = join(temporaryFolder(t), 'restored')
  server.seen.length = 0
  await restoreBackup({ repository, backup: backup.key, target, blobs, now: pds.clock.now })
  assert.equal(server.seen.filter((line) => line.startsWith('PUT')).length, 1, 'one of them was there')
  await using inventory = await openBlobInventory(location)
  const findings = await Array.fromAsync(
    verifyDataDirectory({ dataDirectory: target, blobs: inventory, now: pds.clock.now }),
  )
  assert.deepEqual(
    findings.filter(({ type }) => type === 'finding'),
    [],
  )
})
