import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { encode } from '@imago/data'
import { parseCommit, signCommit } from '@imago/repo'
import { type Did, tidFromMicros, tidMicros } from '@imago/syntax'
import {
  AdoptError,
  type AdoptionReport,
  adoptReference,
  handBackToReference,
  isComplete,
  verifyAdoption,
} from '../src/adopt.ts'
import { openDiskBlobInventory } from '../src/recovery/blob-inventory-disk.ts'
import {
  SAMPLE_ENVIRONMENT,
  type SampleOptions,
  type SampleReference,
  writeSampleReference,
} from './reference-data.ts'
import { openTestPds } from './test-pds.ts'

const NOW = Date.UTC(2026, 0, 1, 12)

interface Setup extends SampleReference, Disposable {
  adopt(options?: Partial<Parameters<typeof adoptReference>[0]>): Promise<AdoptionReport>
  readonly options: Parameters<typeof adoptReference>[0]
  readonly database: string
}

function setUp(options: Partial<SampleOptions> = {}): Setup {
  const folder = mkdtempSync(join(tmpdir(), 'imago-adopt-'))
  const reference = writeSampleReference(folder, { accounts: 3, nowMs: NOW - 3_600_000, ...options })
  const adoptOptions = { source: folder, environment: SAMPLE_ENVIRONMENT, now: () => NOW }
  return {
    ...reference,
    options: adoptOptions,
    database: join(folder, 'pds.sqlite'),
    adopt: (more) => adoptReference({ ...adoptOptions, ...more }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const read = (path: string, sql: string) => {
  const sqlite = new DatabaseSync(path, { readOnly: true })
  try {
    return sqlite
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    sqlite.close()
  }
}

/** Resolves nothing: comparisons leave DID documents out. */
const documents = (reference: SampleReference) => ({
  async resolveDid(did: Did) {
    const { keypair } = reference.accounts.find((account) => account.did === did)!
    // biome-ignore lint/suspicious/noExplicitAny: of a whole identity, the key is looked at
    return { did, signingKey: keypair.publicKey } as any
  },
})

test('[U4] every account comes over, block for block, and signs in with the password that it had', async () => {
  using reference = setUp()
  const report = await reference.adopt()
  assert.deepEqual([report.adopted, report.records, report.blobs, report.events], [3, 33, 3, 3])
  assert.ok(isComplete(report))
  const { differences, same } = await verifyAdoption({
    ...reference.options,
    directory: documents(reference),
  })
  assert.deepEqual([differences, same], [[], 3])

  await using pds = await openTestPds({
    folder: reference.folder,
    ports: { now: () => NOW },
    config: { sequenceStart: undefined },
  })
  for (const { did, handle, password, rev, records, blob } of reference.accounts) {
    const latest = await pds.query('com.atproto.sync.getLatestCommit', { params: { did } })
    assert.equal(latest.body.rev, rev)
    for (const { path, block } of records) {
      const [collection, rkey] = path.split('/') as [string, string]
      const { body } = await pds.query('com.atproto.repo.getRecord', {
        params: { repo: did, collection, rkey },
      })
      assert.equal(body.cid, block.cid.toString())
    }
    const bytes = await pds.query('com.atproto.sync.getBlob', { params: { did, cid: blob.cid.toString() } })
    assert.deepEqual(new Uint8Array(bytes.body), blob.bytes)
    const session = await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: handle, password },
    })
    assert.equal(session.status, 200, JSON.stringify(session.body))
    const wrong = await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: handle, password: 'another' },
    })
    assert.equal(wrong.status, 401)
  }
  const events = await pds.events(0)
  assert.deepEqual(
    events.map(({ type, body }) => [type, body['seq']]),
    [
      ['#commit', 1],
      ['#commit', 2],
      ['#commit', 3],
    ],
  )
})

const FAULTS: Record<string, [break_: (sqlite: DatabaseSync, did: Did) => void, reason: RegExp]> = {
  'a block with other bytes': [
    (sqlite) =>
      sqlite.exec(`UPDATE repo_block SET content = x'a0' WHERE cid IN (SELECT cid FROM record LIMIT 1)`),
    /the bytes of at:.* do not hash to/,
  ],
  'a node that is missing': [
    (sqlite) =>
      sqlite.exec(
        'DELETE FROM repo_block WHERE cid NOT IN (SELECT cid FROM record UNION SELECT cid FROM repo_root)',
      ),
    /MST node/,
  ],
  'a record without its block': [
    (sqlite) => sqlite.exec('DELETE FROM repo_block WHERE cid IN (SELECT cid FROM record LIMIT 1)'),
    /the block of at:.* is missing/,
  ],
  'a record that the tree does not hold': [
    (sqlite, did) =>
      sqlite.exec(
        `INSERT INTO record SELECT 'at://${did}/com.example.note/zzz', cid, collection, 'zzz', repoRev, indexedAt, NULL FROM record LIMIT 1`,
      ),
    /com\.example\.note\/zzz is in the table of records, and not in the signed tree/,
  ],
  'a record that only the tree holds': [
    (sqlite) => sqlite.exec(`DELETE FROM record WHERE rkey = 'note-4'`),
    /note-4 is in the signed tree, and not in the table/,
  ],
  'no repository': [(sqlite) => sqlite.exec('DELETE FROM repo_root'), /has no repository/],
  'a root without its block': [
    (sqlite) => sqlite.exec('DELETE FROM repo_block WHERE cid IN (SELECT cid FROM repo_root)'),
    /the newest commit, bafy.*, is missing/,
  ],
  'a migration of the future': [
    (sqlite) => sqlite.exec(`INSERT INTO kysely_migration VALUES ('002', '')`),
    /has migration 002, and the newest that is known here is 001/,
  ],
}

test('accounts that are not whole are named and left out, the others come over; mended, they follow', async () => {
  const faults = Object.entries(FAULTS)
  using reference = setUp({ accounts: faults.length + 2 })
  const stores = faults.map((_, i) => join(reference.actorFolder(reference.accounts[i]!.did), 'store.sqlite'))
  const whole = stores.map((path) => readFileSync(path))
  for (const [i, [, [damage]]] of faults.entries()) {
    const { did } = reference.accounts[i]!
    reference.edit(did, (sqlite) => damage(sqlite, did))
  }
  const report = await reference.adopt()
  assert.equal(report.adopted, 2)
  assert.ok(!isComplete(report))
  assert.equal(report.refused.length, faults.length)
  for (const [i, [fault, [, reason]]] of faults.entries()) {
    const { did, handle } = reference.accounts[i]!
    const refused = report.refused[i]!
    assert.deepEqual([refused.did, refused.handle], [did, handle], fault)
    assert.match(refused.reason, reason, fault)
  }
  const left = (table: string) => read(reference.database, `SELECT count(*) AS n FROM ${table}`)[0]!['n']
  assert.deepEqual(['repo', 'account', 'record', 'blob'].map(left), [2, 2, 22, 2])
  const verified = await verifyAdoption({ ...reference.options, directory: documents(reference) })
  assert.deepEqual([verified.same, verified.differences.length], [2, faults.length])

  for (const [i, path] of stores.entries()) writeFileSync(path, whole[i]!)
  const again = await reference.adopt()
  assert.deepEqual([again.adopted, again.already, again.refused], [faults.length, 2, []])
  const all = faults.length + 2
  assert.deepEqual(['repo', 'account', 'record', 'blob'].map(left), [all, all, all * 11, all])
})

test('files that are no database, no key, or another key are reasons as well', async () => {
  using reference = setUp({ accounts: 4 })
  const [first, second, third] = reference.accounts as [
    SampleReference['accounts'][number],
    SampleReference['accounts'][number],
    SampleReference['accounts'][number],
  ]
  writeFileSync(join(reference.actorFolder(first.did), 'store.sqlite'), 'x'.repeat(5000))
  writeFileSync(join(reference.actorFolder(second.did), 'key'), generateKeypair('k256').exportSecret())
  rmSync(reference.actorFolder(third.did), { recursive: true })
  const report = await reference.adopt()
  assert.equal(report.adopted, 1)
  const reasons = new Map(report.refused.map(({ did, reason }) => [did, reason]))
  assert.match(reasons.get(first.did)!, /cannot be read: file is not a database/)
  assert.match(reasons.get(second.did)!, /is not signed by the key that lies beside it/)
  assert.match(reasons.get(third.did)!, /signing key cannot be read/)
})

test('[B3] a blob whose bytes are gone or others is named, and the account comes over', async () => {
  using reference = setUp()
  const [gone, other] = reference.accounts as [
    SampleReference['accounts'][number],
    SampleReference['accounts'][number],
  ]
  rmSync(join(reference.blobsFolder, gone.did, gone.blob.cid.toString()))
  writeFileSync(join(reference.blobsFolder, other.did, other.blob.cid.toString()), 'other bytes')
  const report = await reference.adopt()
  assert.equal(report.adopted, 3)
  assert.deepEqual(
    report.lostBlobs.map(({ did, reason }) => [did, reason]),
    [
      [gone.did, 'its file is missing'],
      [other.did, 'its file has other bytes'],
    ],
  )
  assert.ok(!isComplete(report))
})

test('[R8] a repository that was imported, and signed by nobody here, gets a commit of its own key', async () => {
  using reference = setUp()
  const { did, rev } = reference.accounts[0]!
  const imported = tidFromMicros(tidMicros(rev) + 1_000_000, 2)
  reference.edit(did, (sqlite) => {
    const root = sqlite.prepare('SELECT content FROM repo_block JOIN repo_root USING (cid)').get() as {
      content: Uint8Array
    }
    const { data } = parseCommit(root.content)
    const { cid, bytes } = signCommit({ did, data, rev }, generateKeypair('k256'))
    sqlite
      .prepare('INSERT INTO repo_block VALUES (?, ?, ?, ?)')
      .run(cid.toString(), imported, bytes.length, bytes)
    sqlite.prepare('UPDATE repo_root SET cid = ?, rev = ?').run(cid.toString(), imported)
  })
  const report = await reference.adopt()
  assert.equal(report.adopted, 3)
  assert.deepEqual(
    report.resigned.map((resigned) => resigned.did),
    [did],
  )
  await using pds = await openTestPds({ folder: reference.folder, ports: { now: () => NOW } })
  const { body } = await pds.query('com.atproto.sync.getLatestCommit', { params: { did } })
  assert.ok(body.rev > imported)
  const sync = (await pds.events(3)).map((event) => [event.type, event.body['did'], event.body['rev']])
  assert.deepEqual(sync, [['#sync', did, body.rev]])
})

test('[F5] where the stream announced a commit that a crash took away, readers are told where it stands', async () => {
  using reference = setUp()
  const { did, rev } = reference.accounts[0]!
  const phantom = tidFromMicros(tidMicros(rev) + 5_000_000, 3)
  reference.edit('sequencer', (sqlite) => {
    sqlite
      .prepare(`INSERT INTO repo_seq (did, eventType, event, sequencedAt) VALUES (?, 'append', ?, ?)`)
      .run(did, encode({ repo: did, rev: phantom }), new Date(NOW - 1000).toISOString())
  })
  const report = await reference.adopt()
  assert.match(report.resigned[0]!.reason, new RegExp(`announced revision ${phantom}`))
  await using pds = await openTestPds({ folder: reference.folder, ports: { now: () => NOW } })
  const { body } = await pds.query('com.atproto.sync.getLatestCommit', { params: { did } })
  assert.ok(body.rev > phantom)
})

test('[F5] an event that is damaged is left out, and a #sync stands for it', async () => {
  using reference = setUp()
  const { did, rev } = reference.accounts[0]!
  reference.edit('sequencer', (sqlite) => sqlite.exec("UPDATE repo_seq SET event = x'ff00' WHERE seq = 1"))
  const report = await reference.adopt()
  assert.deepEqual([report.adopted, report.events, report.resigned], [3, 2, []])
  await using pds = await openTestPds({ folder: reference.folder, ports: { now: () => NOW } })
  const events = (await pds.events(0)).map(({ type, body }) => [
    type,
    body['seq'],
    body['did'] ?? '',
    body['rev'],
  ])
  assert.deepEqual(events.at(-1), ['#sync', 4, did, rev])
})

test('other names for the same parts are found', async () => {
  using reference = setUp({ names: { accountDatabase: 'accounts.sqlite', blobs: 'blobs' } })
  const report = await reference.adopt()
  assert.deepEqual([report.adopted, report.blobs, report.lostBlobs], [3, 3, []])
})

test('a location in the environment is looked for where the data directory is now', async () => {
  using reference = setUp({ names: { blobs: 'elsewhere' } })
  const environment = {
    ...SAMPLE_ENVIRONMENT,
    PDS_DATA_DIRECTORY: '/pds',
    PDS_BLOBSTORE_DISK_LOCATION: '/pds/elsewhere',
  }
  const report = await reference.adopt({ environment })
  assert.deepEqual([report.lostBlobs, report.blobsDirectory], [[], join(reference.folder, 'elsewhere')])
})

test('what cannot be taken over is refused before anything is written', async () => {
  const refusals: [string, (reference: Setup) => Promise<unknown> | unknown, RegExp][] = [
    [
      'no data directory',
      (reference) => reference.adopt({ source: tmpdir() }),
      /database of accounts is missing/,
    ],
    [
      'an unknown migration',
      (reference) => {
        reference.edit('account', (sqlite) =>
          sqlite.exec(`INSERT INTO kysely_migration VALUES ('042-later', '')`),
        )
        return reference.adopt()
      },
      /has migration 042-later/,
    ],
    [
      'an environment file that is not there',
      (reference) => reference.adopt({ environmentFile: join(reference.folder, 'none.env') }),
      /none\.env cannot be read/,
    ],
    [
      'an environment that does not fit',
      (reference) => reference.adopt({ environment: { ...SAMPLE_ENVIRONMENT, PDS_PORT: 'many' } }),
      /PDS_PORT: 'many' cannot be read/,
    ],
  ]
  for (const [what, refuse, message] of refusals) {
    using reference = setUp({ accounts: 1 })
    await assert.rejects(
      async () => refuse(reference),
      (error: Error) => {
        assert.ok(error instanceof AdoptError, `${what}: ${error}`)
        assert.match(error.message, message)
        return true
      },
    )
    assert.equal(existsSync(reference.database), false, what)
  }
})

test('sign-up stays for invited people where the reference did not open it, until the operator does', async () => {
  const { PDS_INVITE_REQUIRED: _, ...unset } = SAMPLE_ENVIRONMENT
  for (const [environment, expected] of [
    [unset, true],
    [{}, true],
    [{ ...unset, PDS_INVITE_REQUIRED: '1' }, true],
    [{ ...unset, PDS_INVITE_REQUIRED: '0' }, false],
  ] as const) {
    using reference = setUp({ accounts: 1 })
    assert.equal((await reference.adopt({ environment })).inviteRequired, expected)
    for (const [inviteRequired, effective] of [
      [undefined, expected],
      [false, false],
      [true, true],
    ] as const) {
      await using pds = await openTestPds({
        folder: reference.folder,
        ports: { now: () => NOW },
        config: { inviteRequired },
      })
      const { body } = await pds.query('com.atproto.server.describeServer')
      assert.equal(body.inviteCodeRequired, effective, JSON.stringify([environment, inviteRequired]))
    }
  }
})

test('a server with accounts of its own takes over nobody', async () => {
  using reference = setUp()
  await using pds = await openTestPds({ seed: 9 })
  await pds.createAccount('native')
  await pds.pds[Symbol.asyncDispose]()
  await assert.rejects(reference.adopt({ dataDirectory: pds.folder }), /has accounts and a stream of its own/)
})

test('a takeover that was stopped goes on where it was, and no server starts before its end', async () => {
  using reference = setUp({ accounts: 34, records: 1 })
  const stop = new Error('stopped here')
  const onProgress = ({ done }: { done: number }) => {
    if (done === 33) throw stop
  }
  await assert.rejects(reference.adopt({ onProgress }), stop)
  await assert.rejects(
    openTestPds({ folder: reference.folder }),
    /the takeover of .* has not come to its end: run `imago pds adopt/,
  )
  const report = await reference.adopt()
  // Thirty-two share a transaction: those after it had to come again.
  assert.deepEqual([report.already, report.adopted], [32, 2])
  const { same } = await verifyAdoption({ ...reference.options, directory: documents(reference) })
  assert.equal(same, 34)
})

test('[U5] an app password goes on, and opens no more than it did', async () => {
  using reference = setUp({ accounts: 1 })
  const { did, handle, password } = reference.accounts[0]!
  reference.edit('account', (sqlite) => {
    // Any hash will do: the one of the account, with another password known for it, would cost another derivation.
    sqlite.exec(
      `INSERT INTO app_password SELECT did, 'my app', "passwordScrypt", '2026-01-01T00:00:00Z', 0 FROM account`,
    )
    sqlite.prepare('UPDATE account SET passwordScrypt = ?').run(`00:${'00'.repeat(64)}`)
  })
  await reference.adopt()
  await using pds = await openTestPds({ folder: reference.folder, ports: { now: () => NOW } })
  const opened = await pds.procedure('com.atproto.server.createSession', {
    body: { identifier: handle, password },
  })
  assert.equal(opened.status, 200, JSON.stringify(opened.body))
  const refreshed = await pds.procedure('com.atproto.server.refreshSession', {
    token: opened.body.refreshJwt,
  })
  const token = refreshed.body.accessJwt
  const session = await pds.query('com.atproto.server.getSession', { token })
  assert.deepEqual(
    [opened, refreshed, session].map(({ body }) => [body.did, body.email]),
    Array.from({ length: 3 }, () => [did, undefined]),
  )
  const write = await pds.procedure('com.atproto.repo.createRecord', {
    token,
    body: { repo: did, collection: 'com.example.note', record: { $type: 'com.example.note' } },
  })
  assert.equal(write.status, 200, JSON.stringify(write.body))
  const own = await pds.procedure('com.atproto.server.deactivateAccount', { token, body: {} })
  assert.deepEqual([own.status, own.body.error], [400, 'InvalidToken'])
})

test('blobs of the reference that lie beside ours are nothing that has to be cleared away', async () => {
  using reference = setUp({ accounts: 1 })
  const environment = { ...SAMPLE_ENVIRONMENT, PDS_BLOBSTORE_DISK_LOCATION: reference.blobsFolder }
  for (const name of ['tempt', 'quarantine']) {
    mkdirSync(join(reference.blobsFolder, name))
    writeFileSync(join(reference.blobsFolder, name, 'file'), 'of the reference')
  }
  const { blobsDirectory } = await reference.adopt({ environment })
  assert.equal(blobsDirectory, reference.blobsFolder)
  const inventory = openDiskBlobInventory(blobsDirectory)
  assert.deepEqual(await Array.fromAsync(inventory.others()), [])
  const files = await Array.fromAsync(inventory.files(reference.accounts[0]!.did))
  assert.deepEqual(
    files.map(({ cid }) => cid?.toString()),
    [reference.accounts[0]!.blob.cid.toString()],
  )
})

test('a source that was served again since is not taken over on top of what it was', async () => {
  using reference = setUp({ accounts: 1 })
  await reference.adopt()
  const { did, rev } = reference.accounts[0]!
  const later = tidFromMicros(tidMicros(rev) + 1, 0)
  reference.edit('account', (sqlite) => sqlite.prepare('UPDATE repo_root SET rev = ?').run(later))
  await assert.rejects(
    reference.adopt(),
    new RegExp(`has been served by the reference PDS since.*${did} is at ${later}`),
  )
})

test('[S11] an account that is overdue for deletion gets a month more', async () => {
  using reference = setUp({ accounts: 2 })
  const [overdue, due] = reference.accounts.map(({ did }) => did) as [Did, Did]
  reference.edit('account', (sqlite) => {
    const set = sqlite.prepare('UPDATE actor SET deactivatedAt = createdAt, deleteAfter = ? WHERE did = ?')
    set.run(new Date(NOW - 1).toISOString(), overdue)
    set.run(new Date(NOW + 1000).toISOString(), due)
  })
  await reference.adopt()
  const rows = read(
    reference.database,
    'SELECT did, delete_after, status FROM account JOIN repo USING (did) ORDER BY delete_after',
  )
  assert.deepEqual(rows, [
    { did: due, delete_after: NOW + 1000, status: 'deactivated' },
    { did: overdue, delete_after: NOW + 30 * 86_400_000, status: 'deactivated' },
  ])
})

test('what was copied of a large account is removed when it turns out to be broken', async () => {
  using reference = setUp({ accounts: 2, records: 80, recordBytes: 60_000 })
  const { did } = reference.accounts[0]!
  // The last one in order, when several transactions have been committed.
  reference.edit(did, (sqlite) =>
    sqlite.exec(
      `UPDATE repo_block SET content = x'a0' WHERE cid IN (SELECT cid FROM record WHERE rkey = 'self')`,
    ),
  )
  const report = await reference.adopt()
  assert.deepEqual([report.adopted, report.refused.length], [1, 1])
  assert.deepEqual(read(reference.database, 'SELECT DISTINCT repo FROM record'), [{ repo: 2 }])
  assert.deepEqual(read(reference.database, 'SELECT DISTINCT repo FROM node'), [{ repo: 2 }])
})

test('handing back what nobody changed changes nothing there, and the stream can only go up', async () => {
  using reference = setUp()
  await reference.adopt()
  const state = () =>
    reference.accounts.map(({ did }) =>
      ['repo_root', 'repo_block', 'record', 'blob', 'record_blob'].map((table) =>
        read(join(reference.actorFolder(did), 'store.sqlite'), `SELECT * FROM ${table}`),
      ),
    )
  const before = state()
  const report = await handBackToReference(reference.options)
  const { changed, created, removed, unchanged, failed, sequence } = report
  assert.deepEqual([changed, created, removed, unchanged, failed, sequence], [0, 0, 0, 3, [], 3])
  assert.deepEqual(state(), before)
  await assert.rejects(openTestPds({ folder: reference.folder }), /were handed back to/)
  const again = await reference.adopt()
  assert.equal(again.adopted, 3)
})

test('only what was taken over from a directory is handed back to it', async () => {
  using reference = setUp()
  await assert.rejects(handBackToReference(reference.options), /holds nothing that was taken over/)
})
