import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { startS3TestServer } from '@imago/sim/s3-server'
import { openBackupStore } from './backup-address.ts'

const bytes = new TextEncoder().encode('hello')

test('a folder is made for writing, and must be there for reading', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-address-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const place = join(folder, 'a', 'b')
  await assert.rejects(openBackupStore(place, { mustExist: true }), { name: 'CliError', exitCode: 2 })
  const store = await openBackupStore(place, { mustExist: false })
  await store.put('x', bytes)
  assert.equal(statSync(place).mode & 0o777, 0o700, 'keys of all accounts may lie there')
  assert.ok(await (await openBackupStore(place, { mustExist: true })).head('x'))
})

test('an address of S3 says bucket, prefix, server and region; the environment has the rest', async () => {
  await using server = await startS3TestServer()
  const { bucket, endpoint, accessKeyId, secretAccessKey } = server.location
  const credentials = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  const said = await openBackupStore(`s3://${bucket}/some/where/?endpoint=${endpoint}&region=eu-1`, {
    mustExist: true,
    env: credentials,
  })
  await said.put('x', bytes)
  assert.ok(
    server.seen.some((line) => line.startsWith(`PUT /${bucket}/some/where/x`)),
    server.seen.join(),
  )
  const found = await openBackupStore(`s3://${bucket}/some/where`, {
    mustExist: true,
    env: { ...credentials, AWS_ENDPOINT_URL: endpoint },
  })
  assert.ok(await found.head('x'))
  for (const store of [said, found]) store[Symbol.dispose]?.()
})

test('what is no place for backups is refused, and what is right is said', async () => {
  for (const address of [
    'https://example.com/x',
    's3://',
    's3://key:secret@bucket/x',
    's3://bucket/x?acl=public',
  ])
    await assert.rejects(openBackupStore(address, { mustExist: false, env: {} }), {
      name: 'CliError',
      exitCode: 2,
    })
})
