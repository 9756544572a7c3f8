// A restore takes a server back to an older state: what the world has done since must neither be undone nor come to life.
import assert from 'node:assert/strict'
import { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { createMemoryStore } from '@imago/object-store/memory'
import { restoreBackup } from '../src/backup.ts'
import { KEPT_AFTER_RESTORE_MS } from '../src/database/restored-state.ts'
import { openDiskBlobInventory } from '../src/recovery/blob-inventory-disk.ts'
import { type Finding, rebuildDataDirectory, verifyDataDirectory } from '../src/recovery.ts'
import {
  backUp,
  blobBytes,
  blobsOf,
  post,
  postBlob,
  repositoryIn,
  temporaryFolder,
} from './backup-fixture.ts'
import { openTestPds, type TestAccount, type TestPds } from './test-pds.ts'

const DAY_MS = 24 * 3_600_000

const upload = async (pds: TestPds, { accessJwt: token }: TestAccount, seed: number) =>
  (
    await pds.procedure('com.atproto.repo.uploadBlob', {
      token,
      body: blobBytes(seed),
      headers: { 'content-type': 'image/png' },
    })
  ).body.blob

/** Files tell the time of the real clock. */
async function signUpNow(pds: TestPds): Promise<TestAccount> {
  pds.clock.set(Date.now())
  return pds.createAccount('alice')
}

const findingsOf = async (dataDirectory: string, blobsDirectory: string, now: () => number) =>
  (await Array.fromAsync(verifyDataDirectory({ dataDirectory, blobsDirectory, now }))).filter(
    (item): item is Finding => item.type === 'finding',
  )

test('[B3] [trap 67] bytes that a lost server took in after the backup are kept for thirty days, and verify says so', async (t) => {
  await using pds = await openTestPds()
  const alice = await signUpNow(pds)
  const { now } = pds.clock
  const blobsDirectory = join(pds.folder, 'blobs')
  const fileOf = (cid: string) => join(blobsDirectory, encodeURIComponent(alice.did), cid)
  await postBlob(pds, alice, 1)
  // Uploaded before the backup, and referred to after it.
  const late = await upload(pds, alice, 2)
  const old = fileOf(cidOfRaw(blobBytes(4)).toString())
  writeFileSync(old, blobBytes(4))
  utimesSync(old, (now() - 3 * DAY_MS) / 1000, (now() - 3 * DAY_MS) / 1000)
  const repository = await repositoryIn(createMemoryStore(), now)
  const { backup } = await backUp(pds, repository)
  await post(pds, alice, 'late', { blob: late })
  const lost = await postBlob(pds, alice, 3)
  pds.clock.advance(60_000)

  const target = join(temporaryFolder(t), 'restored')
  await restoreBackup({ repository, backup: backup.key, target, blobs: await blobsOf(pds), now })
  await using restored = await openTestPds({
    folder: target,
    plc: pds.plc,
    clock: pds.clock,
    seed: 5,
    config: { blobsDirectory },
  })
  const kept = [fileOf(lost), fileOf(late.ref.$link)]
  for (const days of [2, 20]) {
    pds.clock.advance(days * DAY_MS)
    await restored.pds.maintain()
    assert.deepEqual(kept.map(existsSync), [true, true], `after ${days} days more`)
  }
  assert.ok(!existsSync(old), 'what was rubbish before the backup goes')
  const [finding, ...others] = await findingsOf(target, blobsDirectory, now)
  assert.deepEqual(
    [finding?.code, finding?.level, finding?.did, others],
    ['blob-file-kept', 'warning', alice.did, []],
  )
  assert.match(finding!.message, /^1 files .* kept until 20/)

  // The record comes again, and the bytes belong to it.
  const login = { identifier: alice.did, password: 'password of alice' }
  const { body: session } = await restored.procedure('com.atproto.server.createSession', { body: login })
  const again = { ...alice, accessJwt: session.accessJwt }
  assert.deepEqual((await upload(restored, again, 2)).ref, late.ref)
  await post(restored, again, 'late', { blob: late })

  pds.clock.advance(KEPT_AFTER_RESTORE_MS - 22 * DAY_MS + 60_000)
  await restored.pds.maintain()
  assert.deepEqual(kept.map(existsSync), [false, true])
  assert.deepEqual(await findingsOf(target, blobsDirectory, now), [])
})

test('rebuild leaves bytes alone that are kept after a restore', async (t) => {
  await using pds = await openTestPds()
  const alice = await signUpNow(pds)
  const { now } = pds.clock
  const repository = await repositoryIn(createMemoryStore(), now)
  const { backup } = await backUp(pds, repository)
  const lost = await postBlob(pds, alice, 3)
  const bob = await pds.createAccount('bob')
  await postBlob(pds, bob, 4)
  pds.clock.advance(60_000)
  const target = join(temporaryFolder(t), 'restored')
  await restoreBackup({ repository, backup: backup.key, target, blobs: await blobsOf(pds), now })
  {
    // Damage, so that the account is looked at.
    using database = new DatabaseSync(join(target, 'pds.sqlite'))
    database.exec("DELETE FROM config WHERE name = 'reannouncement'; UPDATE repo SET status = 'deactivated'")
  }
  pds.clock.advance(5 * DAY_MS)
  const blobs = openDiskBlobInventory(join(pds.folder, 'blobs'))
  const repairs = await Array.fromAsync(rebuildDataDirectory({ dataDirectory: target, blobs, now }))
  assert.ok(repairs.some(({ type }) => type === 'repair'))
  assert.ok(await blobs.find(alice.did, cidOfRaw(blobBytes(3))), lost)
  assert.ok(await blobs.find(bob.did, cidOfRaw(blobBytes(4))))
})

test('what was withdrawn does not come to life with a restore, and what was put off is not overtaken', async (t) => {
  await using pds = await openTestPds()
  const alice = await pds.createAccount('alice')
  const { now } = pds.clock
  {
    using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'))
    const run = (sql: string, ...values: (string | number | Uint8Array)[]) =>
      database.prepare(sql).run(...values)
    run('INSERT INTO app_password VALUES (?, ?, ?, 0, 0)', alice.did, 'app', 'hash')
    run('INSERT INTO refresh_token VALUES (?, ?, ?, NULL, ?)', 'of the app', alice.did, now() + DAY_MS, 'app')
    run('INSERT INTO email_token VALUES (?, ?, ?, ?)', 'reset_password', alice.did, 'ABCDE', now())
    run('INSERT INTO reserved_key VALUES (?, ?, ?)', 'did:plc:somebody', new Uint8Array(32), now())
    for (const name of ['token', 'used_refresh_token', 'device_account'])
      run('INSERT INTO adopted VALUES (?, ?, ?, ?)', name, 'key', alice.did, '{}')
    run('UPDATE account SET deactivated_at = ?, delete_after = ?', now(), now() + 3 * DAY_MS)
    run("UPDATE repo SET status = 'deactivated'")
  }
  const repository = await repositoryIn(createMemoryStore(), now)
  const { backup } = await backUp(pds, repository)
  pds.clock.advance(40 * DAY_MS)
  const folder = temporaryFolder(t)
  const restore = async (name: string, more: object) => {
    const target = join(folder, name)
    const report = await restoreBackup({ repository, backup: backup.key, target, now, ...more })
    using database = new DatabaseSync(join(target, 'pds.sqlite'), { readOnly: true })
    const count = (table: string) =>
      (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
    const { endedSessions, appPasswords, postponedDeletions } = report
    return {
      report: { endedSessions, appPasswords, postponedDeletions },
      rows: ['refresh_token', 'app_password', 'email_token', 'reserved_key', 'adopted'].map(count),
      deleteAfter: (database.prepare('SELECT delete_after FROM account').get() as { delete_after: number })
        .delete_after,
    }
  }
  const deleteAfter = now() + 30 * DAY_MS
  assert.deepEqual(await restore('plain', {}), {
    report: { endedSessions: 2, appPasswords: 1, postponedDeletions: 1 },
    rows: [0, 1, 0, 1, 1],
    deleteAfter,
  })
  assert.deepEqual(await restore('moved', { keepSessions: true }), {
    report: { endedSessions: 0, appPasswords: 1, postponedDeletions: 1 },
    rows: [2, 1, 0, 1, 3],
    deleteAfter,
  })
  assert.deepEqual(await restore('strict', { keepSessions: true, endAppPasswords: true }), {
    report: { endedSessions: 0, appPasswords: 0, postponedDeletions: 1 },
    rows: [1, 0, 0, 1, 3],
    deleteAfter,
  })
  // Housekeeping, which runs with the first start, finds nothing that is overdue.
  await using restored = await openTestPds({
    folder: join(folder, 'plain'),
    plc: pds.plc,
    clock: pds.clock,
    seed: 5,
  })
  await restored.pds.maintain()
  const { body } = await restored.query('com.atproto.sync.getRepoStatus', { params: { did: alice.did } })
  assert.deepEqual([body.active, body.status], [false, 'deactivated'])
  assert.ok((await restored.events(0)).every(({ body }) => body['status'] !== 'deleted'))
})
