import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test, { after, before } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { cidOfRaw, readCar } from '@imago/data'
import { verifyRepo } from '@imago/repo'
import { createManualClock } from '@imago/sim/clock'
import { createRandom } from '@imago/sim/random'
import type { Did } from '@imago/syntax'
import {
  DataDirectoryInUseError,
  type Finding,
  type Progress,
  type RebuildOptions,
  RecoveryError,
  type Repair,
  rebuildDataDirectory,
  type VerifyOptions,
  verifyDataDirectory,
} from '../src/recovery.ts'
import { openTestPds } from './test-pds.ts'

const NOTE = 'com.example.note'
const LIKE = 'app.bsky.feed.like'
const RECORDS = 16
const BLOB = createRandom(3).bytes(5000)
/** Later than any upload's grace. */
const now = () => Date.now() + 7 * 24 * 3_600_000

/** A data directory with two accounts, records of three kinds, a blob in use and one that is not. */
let origin: string
let alice: Did
let bob: Did
let blobName: string

before(async () => {
  origin = mkdtempSync(join(tmpdir(), 'imago-recovery-'))
  await using pds = await openTestPds({ folder: origin })
  const accounts = [await pds.createAccount('alice'), await pds.createAccount('bob')] as const
  ;[alice, bob] = [accounts[0].did, accounts[1].did]
  for (const { did, accessJwt: token } of accounts) {
    const write = async (name: string, body: object) => {
      const answer = await pds.procedure(`com.atproto.repo.${name}`, { token, body: { repo: did, ...body } })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
    }
    for (let n = 0; n < RECORDS; n++)
      await write('createRecord', { collection: NOTE, record: { text: `note ${n}` } })
    for (let n = 0; n < 3; n++)
      await write('createRecord', {
        collection: LIKE,
        record: { subject: { uri: `at://${did}/${NOTE}/${n}` } },
      })
    const { body } = await pds.procedure('com.atproto.repo.uploadBlob', {
      token,
      body: BLOB,
      headers: { 'content-type': 'application/octet-stream' },
    })
    await write('putRecord', { collection: NOTE, rkey: 'picture', record: { blob: body.blob } })
    await pds.procedure('com.atproto.repo.uploadBlob', {
      token,
      body: BLOB.slice(1),
      headers: { 'content-type': 'application/octet-stream' },
    })
  }
  blobName = cidOfRaw(BLOB).toString()
})
after(() => rmSync(origin, { recursive: true }))

/** A copy of the data directory that can be damaged. */
function copy() {
  const folder = mkdtempSync(join(tmpdir(), 'imago-recovery-'))
  cpSync(origin, folder, { recursive: true })
  let connection: DatabaseSync | undefined
  const close = () => {
    connection?.close()
    connection = undefined
  }
  const sql = (text: string, ...parameters: (string | number | Uint8Array)[]) => {
    if (connection === undefined) {
      connection = new DatabaseSync(join(folder, 'pds.sqlite'))
      // Nobody cuts the power.
      connection.exec('PRAGMA synchronous = OFF')
    }
    return connection.prepare(text).all(...parameters) as unknown as Record<string, unknown>[]
  }
  const repo = (did: Did) =>
    sql('SELECT * FROM repo WHERE did = ?', did)[0] as unknown as {
      id: number
      head: Uint8Array
      rev: string
      data: Uint8Array
      commit_bytes: Uint8Array
    }
  return {
    folder,
    sql,
    close,
    repo,
    blobFile: (did: Did, name = blobName) => join(folder, 'blobs', encodeURIComponent(did), name),
    verify: (options: Partial<VerifyOptions> = {}) => verify(folder, options),
    rebuild: (options: Partial<RebuildOptions> = {}) => rebuild(folder, options),
    [Symbol.dispose]() {
      close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Copy = ReturnType<typeof copy>

async function verify(folder: string, options: Partial<VerifyOptions> = {}): Promise<Finding[]> {
  const found: Finding[] = []
  for await (const item of verifyDataDirectory({ dataDirectory: folder, now, ...options }))
    if (item.type === 'finding') found.push(item)
  return found
}

async function rebuild(folder: string, options: Partial<RebuildOptions> = {}) {
  const items: (Finding | Repair)[] = []
  for await (const item of rebuildDataDirectory({ dataDirectory: folder, now, ...options }))
    if (item.type !== 'progress') items.push(item)
  return {
    lost: items.filter((item) => item.type === 'finding' && item.level === 'error') as Finding[],
    repairs: items.filter((item) => item.type === 'repair') as Repair[],
  }
}

const codesOf = (found: readonly Finding[]) => [...new Set(found.map(({ code }) => code))].sort()

test('a data directory as the server leaves it is clean, whole and account by account', async () => {
  using data = copy()
  assert.deepEqual(await data.verify(), [])
  assert.deepEqual(await data.verify({ did: alice }), [])
  assert.deepEqual(await data.verify({ quick: true }), [])
  assert.deepEqual(await data.rebuild(), { lost: [], repairs: [] })
  const progress: Progress[] = []
  for await (const item of verifyDataDirectory({ dataDirectory: data.folder, now }))
    if (item.type === 'progress') progress.push(item)
  assert.deepEqual(progress.at(-1), { type: 'progress', part: 'accounts', done: 2, total: 2 })
})

interface Damage {
  readonly what: string
  readonly damage: (data: Copy) => void
  readonly codes: readonly string[]
  /** What rebuild cannot bring back. */
  readonly lost?: readonly string[]
  /** Findings after it that are no damage. */
  readonly left?: readonly string[]
  readonly check?: (data: Copy, before: Copy) => void
}

const sameHead = (data: Copy, before: Copy) => assert.deepEqual(data.repo(alice), before.repo(alice))
const flipped = (bytes: Uint8Array) => bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1)
const someNode = (data: Copy, where: string) =>
  data.sql(
    `SELECT node.id, bytes FROM node JOIN repo ON repo.id = repo WHERE did = ? AND ${where}`,
    alice,
  )[0]! as {
    id: number
    bytes: Uint8Array
  }
const forgetEvents = (data: Copy) => data.sql(`DELETE FROM event WHERE key = ?`, alice)

const DAMAGE: readonly Damage[] = [
  {
    what: 'a flipped bit in a node below the root',
    damage(data) {
      const { id, bytes } = someNode(data, 'node.cid <> repo.data')
      data.sql('UPDATE node SET bytes = ? WHERE id = ?', flipped(bytes), id)
    },
    codes: ['node-invalid'],
    check: sameHead,
  },
  {
    what: 'a node that is missing',
    damage: (data) => data.sql('DELETE FROM node WHERE id = ?', someNode(data, 'node.cid <> repo.data').id),
    codes: ['node-missing'],
    check: sameHead,
  },
  {
    what: 'the root that is missing, and events that are pruned',
    damage(data) {
      forgetEvents(data)
      data.sql('DELETE FROM node WHERE id = ?', someNode(data, 'node.cid = repo.data').id)
    },
    codes: ['node-missing'],
    check: sameHead,
  },
  {
    what: 'a node of no tree',
    damage: (data) =>
      data.sql(
        'INSERT INTO node (repo, cid, rev, bytes) VALUES (?, ?, ?, ?)',
        data.repo(alice).id,
        new Uint8Array(36),
        'x',
        BLOB,
      ),
    codes: ['node-orphan'],
    check: sameHead,
  },
  {
    what: 'a record row that is gone, and is in the replay window',
    damage: (data) =>
      data.sql('DELETE FROM record WHERE repo = ? AND path = ?', data.repo(alice).id, `${NOTE}/picture`),
    codes: ['record-missing', 'blob-reference-stray'],
    check: sameHead,
  },
  {
    what: 'a record row that is gone for good',
    damage(data) {
      forgetEvents(data)
      data.sql('DELETE FROM record WHERE repo = ? AND path = ?', data.repo(alice).id, `${NOTE}/picture`)
    },
    codes: ['record-missing', 'blob-reference-stray'],
    lost: ['record-missing'],
    check: (data, before) => assert.ok(data.repo(alice).rev > before.repo(alice).rev),
  },
  {
    what: 'a flipped bit in a record',
    damage(data) {
      const { path, bytes } = data.sql(
        'SELECT path, bytes FROM record WHERE repo = ? LIMIT 1',
        data.repo(alice).id,
      )[0]! as { path: string; bytes: Uint8Array }
      data.sql(
        'UPDATE record SET bytes = ? WHERE repo = ? AND path = ?',
        flipped(bytes),
        data.repo(alice).id,
        path,
      )
    },
    codes: ['record-invalid'],
    check: sameHead,
  },
  {
    what: 'a flipped bit in the CID of a record',
    damage(data) {
      forgetEvents(data)
      const { path, cid } = data.sql(
        'SELECT path, cid FROM record WHERE repo = ? LIMIT 1',
        data.repo(alice).id,
      )[0]! as { path: string; cid: Uint8Array }
      data.sql(
        'UPDATE record SET cid = ? WHERE repo = ? AND path = ?',
        flipped(cid),
        data.repo(alice).id,
        path,
      )
    },
    codes: ['record-differs', 'record-invalid'],
    check: sameHead,
  },
  {
    what: 'a head that was moved back to a commit of another tree',
    damage(data) {
      const { data: root, rev } = data.repo(bob)
      data.sql('UPDATE repo SET data = ?, rev = ? WHERE did = ?', root, rev, alice)
    },
    codes: ['commit-invalid', 'event-missing', 'node-missing', 'node-missing'],
    check: sameHead,
  },
  {
    what: 'a commit that is no commit, in a directory without events',
    damage(data) {
      forgetEvents(data)
      data.sql('UPDATE repo SET commit_bytes = ? WHERE did = ?', BLOB, alice)
    },
    codes: ['commit-invalid'],
    check: (data, before) => assert.ok(data.repo(alice).rev > before.repo(alice).rev),
  },
  {
    what: 'a commit that is no commit, while the stream remembers the real one',
    damage: (data) => data.sql('UPDATE repo SET commit_bytes = ? WHERE did = ?', BLOB, alice),
    codes: ['commit-invalid'],
    check: sameHead,
  },
  {
    what: 'the key of somebody else',
    damage: (data) =>
      data.sql(
        'UPDATE repo SET signing_key = (SELECT signing_key FROM repo WHERE did = ?) WHERE did = ?',
        bob,
        alice,
      ),
    codes: ['commit-signature'],
    check: (data, before) => assert.ok(data.repo(alice).rev > before.repo(alice).rev),
  },
  {
    what: 'lists of blobs and subjects that are gone',
    damage: (data) => data.sql('DELETE FROM record_blob') && data.sql('DELETE FROM backlink'),
    codes: ['blob-reference-missing', 'backlink-missing', 'blob-state'],
    check: sameHead,
  },
  {
    what: 'a subject that no record is about',
    damage: (data) =>
      data.sql(
        'INSERT INTO backlink VALUES (?, ?, ?, ?)',
        data.repo(alice).id,
        `${LIKE}/none`,
        LIKE,
        'did:web:a.test',
      ),
    codes: ['backlink-stray'],
    check: sameHead,
  },
  {
    what: 'a permanent blob that counts as temporary',
    damage: (data) => data.sql('UPDATE blob SET temporary = 1 WHERE repo = ?', data.repo(alice).id),
    codes: ['blob-state'],
  },
  {
    what: 'a blob without its row',
    damage(data) {
      data.sql('DELETE FROM blob WHERE repo = ? AND temporary = 0', data.repo(alice).id)
      data.sql('DELETE FROM blob_trash')
    },
    codes: ['blob-absent', 'blob-file-stray'],
  },
  {
    what: 'a blob without its row, which the server would remove soon',
    damage: (data) => data.sql('DELETE FROM blob WHERE repo = ? AND temporary = 0', data.repo(alice).id),
    codes: ['blob-absent'],
  },
  {
    what: 'a count of blobs that is wrong',
    damage: (data) => data.sql('UPDATE blob_usage SET bytes = 1 WHERE repo = ?', data.repo(alice).id),
    codes: ['blob-usage-differs'],
  },
  {
    what: 'a blob whose file is cut short',
    damage: (data) => writeFileSync(data.blobFile(alice), BLOB.subarray(0, 100)),
    codes: ['blob-file-differs'],
    lost: ['blob-absent'],
    left: ['blob-absent'],
  },
  {
    what: 'a blob whose file holds something else',
    damage: (data) => writeFileSync(data.blobFile(alice), flipped(BLOB)),
    codes: ['blob-file-differs'],
    lost: ['blob-absent'],
    left: ['blob-absent'],
  },
  {
    what: 'a blob whose file is gone',
    damage: (data) => rmSync(data.blobFile(alice)),
    codes: ['blob-file-missing'],
    lost: ['blob-absent'],
    left: ['blob-absent'],
  },
  {
    what: 'files that nobody knows',
    damage(data) {
      writeFileSync(data.blobFile(alice, 'no-cid'), 'a')
      writeFileSync(data.blobFile(alice, cidOfRaw(BLOB.slice(2)).toString()), BLOB.slice(2))
      writeFileSync(join(data.folder, 'blobs', 'stray'), 'b')
      writeFileSync(join(data.folder, 'blobs', '.tmp', 'left-by-a-crash'), 'c')
    },
    codes: ['blob-file-stray'],
  },
  {
    what: 'an event that cannot be read',
    damage: (data) =>
      data.sql(
        'UPDATE event SET payload = ? WHERE seq = (SELECT max(seq) FROM event WHERE key = ?)',
        BLOB,
        alice,
      ),
    codes: ['event-invalid', 'event-missing'],
  },
  {
    what: 'events that are missing at the end',
    damage: (data) =>
      data.sql(
        'DELETE FROM event WHERE key = ? AND seq > (SELECT max(seq) - 2 FROM event WHERE key = ?)',
        alice,
        alice,
      ),
    codes: ['event-missing'],
    check: sameHead,
  },
  {
    what: 'a head of the stream below what was given',
    damage: (data) => data.sql('UPDATE event_state SET head = 3'),
    codes: ['sequence-behind'],
    check: (data) => assert.ok((data.sql('SELECT head FROM event_state')[0]!['head'] as number) > Date.now()),
  },
  {
    what: 'an account that is deactivated, and a repository that is not',
    damage: (data) => data.sql('UPDATE account SET deactivated_at = 1 WHERE did = ?', alice),
    codes: ['status-differs'],
    check: (data) =>
      assert.equal(data.sql('SELECT status FROM repo WHERE did = ?', alice)[0]!['status'], 'deactivated'),
  },
  {
    what: 'a repository that is deactivated, which the stream has not said',
    damage: (data) => data.sql(`UPDATE repo SET status = 'deactivated' WHERE did = ?`, alice),
    codes: ['status-differs', 'account-event-differs'],
    check: (data) =>
      assert.ok(data.sql('SELECT deactivated_at AS at FROM account WHERE did = ?', alice)[0]!['at']),
  },
  {
    what: 'rows of nobody',
    damage(data) {
      data.sql('INSERT INTO record VALUES (99, ?, ?, ?, ?)', 'a.b.c/d', new Uint8Array(36), 'x', BLOB)
      data.sql(`INSERT INTO refresh_token (id, did, expires_at) VALUES ('a', 'did:web:gone.test', 5)`)
      data.sql(
        `INSERT INTO preference (did, position, type, value) VALUES ('did:web:gone.test', 1, 'a', '{}')`,
      )
    },
    codes: ['rows-without-repo', 'rows-without-account'],
  },
]

for (const { what, damage, codes, lost = [], left = [], check } of DAMAGE)
  test(`verify finds, and rebuild mends: ${what}`, async () => {
    using before = copy()
    using data = copy()
    damage(data)
    // Files that a rebuild moves must be told apart from uploads that are under way.
    assert.deepEqual(codesOf(await data.verify()), [...new Set(codes)].sort())

    const contents = snapshotOf(data)
    const rehearsal = await data.rebuild({ dryRun: true })
    assert.deepEqual(snapshotOf(data), contents, 'a dry run changes nothing')
    const done = await data.rebuild()
    assert.deepEqual(codesOf(done.lost), lost)
    assert.deepEqual(textsOf(rehearsal), textsOf(done), 'a dry run says what is done then')
    assert.deepEqual(codesOf(await data.verify()), left)
    check?.(data, before)
    assert.deepEqual(textsOf(await data.rebuild()), [], 'there is nothing left to mend')
  })

/** A rehearsal signs at another moment than the real thing. */
const textsOf = ({ lost, repairs }: Awaited<ReturnType<typeof rebuild>>) =>
  [...lost, ...repairs].map(
    ({ did, path, message }) => `${did} ${path}: ${message.replace(/bafy\w+|3\w{12}|\d{13}/g, '…')}`,
  )

function snapshotOf({ folder, sql }: Copy) {
  const tables = [
    'repo',
    'account',
    'node',
    'record',
    'record_blob',
    'blob',
    'backlink',
    'event',
    'event_state',
  ]
  const files = readdirSync(join(folder, 'blobs'), { recursive: true }).sort()
  return { rows: tables.map((table) => sql(`SELECT * FROM ${table}`)), files }
}

test('a repository that was made again is served, written to, and stays clean', async () => {
  using data = copy()
  data.sql('DELETE FROM node')
  data.sql('DELETE FROM event')
  data.sql('UPDATE repo SET commit_bytes = ?', BLOB)
  // A clock that has gone on since the accounts were made.
  const clock = createManualClock(Date.UTC(2026, 0, 2))
  await data.rebuild({ now: clock.now })
  await using pds = await openTestPds({ folder: data.folder, clock })
  const { accessJwt: token } = (
    await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: 'alice.test', password: 'password of alice' },
    })
  ).body
  for (let n = 0; n < 3; n++) {
    const { status, body } = await pds.procedure('com.atproto.repo.createRecord', {
      token,
      body: { repo: alice, collection: NOTE, record: { text: `more ${n}` } },
    })
    assert.equal(status, 200, JSON.stringify(body))
  }
  const { body } = await pds.query('com.atproto.sync.getRepo', { params: { did: alice } })
  assert.equal(verifyRepo(readCar(body), { did: alice }).records.size, RECORDS + 3 + 1 + 3)
  assert.deepEqual(
    (await pds.events()).map(({ type }) => type),
    ['#sync', '#sync', '#commit', '#commit', '#commit'],
  )
  assert.deepEqual(await data.verify(), [])
})

test('what is put aside is explained by a manifest, and none of it is gone', async () => {
  using data = copy()
  writeFileSync(data.blobFile(alice), BLOB.subarray(0, 100))
  data.sql(
    'INSERT INTO node (repo, cid, rev, bytes) VALUES (?, ?, ?, ?)',
    data.repo(alice).id,
    new Uint8Array(36),
    'x',
    BLOB,
  )
  await data.rebuild()
  const [time, ...others] = readdirSync(join(data.folder, 'quarantine'))
  assert.deepEqual(others, [])
  const folder = join(data.folder, 'quarantine', time!)
  const lines = readFileSync(join(folder, 'manifest.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ what, table, did }) => [what, table, did]),
    [
      ['row', 'node', alice],
      ['row', 'blob', alice],
      ['file', undefined, alice],
    ],
  )
  assert.deepEqual(Uint8Array.fromBase64(lines[0].row.bytes.$bytes), BLOB)
  assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'blobs', lines[2].name))), BLOB.slice(0, 100))
})

test('a head behind its own announcements becomes the announced one, or goes beyond it with a #sync', async () => {
  for (const forget of [false, true]) {
    using data = copy()
    await using pds = await openTestPds({ folder: data.folder })
    const { id, head, rev, data: root, commit_bytes } = data.repo(alice)
    const { accessJwt: token } = (
      await pds.procedure('com.atproto.server.createSession', {
        body: { identifier: 'alice.test', password: 'password of alice' },
      })
    ).body
    await pds.procedure('com.atproto.repo.createRecord', {
      token,
      body: { repo: alice, collection: NOTE, record: { text: 'one more' } },
    })
    await pds[Symbol.asyncDispose]()
    const later = data.repo(alice)
    data.sql(
      'UPDATE repo SET head = ?, rev = ?, data = ?, commit_bytes = ? WHERE id = ?',
      head,
      rev,
      root,
      commit_bytes,
      id,
    )
    // The record that made the difference is lost, so that the announced commit is of a tree that is no more.
    if (forget) data.sql('DELETE FROM record WHERE repo = ? AND rev = ?', id, later.rev)
    assert.deepEqual(codesOf(await data.verify()), ['head-behind-events', 'node-missing'])
    const { lost } = await data.rebuild()
    assert.deepEqual(lost, [])
    assert.deepEqual(await data.verify(), [])
    if (forget) assert.ok(data.repo(alice).rev > later.rev)
    else assert.deepEqual(data.repo(alice), later)
  }
})

test('rebuild keeps to one account where it is told to, and refuses one that it does not know', async () => {
  using data = copy()
  for (const did of [alice, bob]) data.sql('DELETE FROM node WHERE repo = ?', data.repo(did).id)
  await data.rebuild({ did: bob })
  assert.deepEqual([...new Set((await data.verify()).map(({ did }) => did))], [alice])
  await assert.rejects(data.rebuild({ did: 'did:web:nobody.test' }), RecoveryError)
  await assert.rejects(data.verify({ did: 'did:web:nobody.test' }), RecoveryError)
})

test('what cannot be looked at is refused with what to do: no directory, another schema, no database', async () => {
  using data = copy()
  await assert.rejects(
    verify(join(data.folder, 'none')),
    /none\/pds\.sqlite does not exist: give the data directory/,
  )
  data.sql('PRAGMA user_version = 0')
  await assert.rejects(data.verify(), /has schema 0, .* start the server once/)
  data.sql('PRAGMA user_version = 99')
  await assert.rejects(data.rebuild(), /has schema 99, .* start the version that wrote it/)
})

test('damaged pages are found, and rebuild refuses to guess at what lay there', async () => {
  using data = copy()
  data.sql('PRAGMA wal_checkpoint(TRUNCATE)')
  data.close()
  const path = join(data.folder, 'pds.sqlite')
  const bytes = readFileSync(path)
  bytes.fill(0xff, 4096 * 20, 4096 * 40)
  writeFileSync(path, bytes)
  assert.ok(codesOf(await data.verify()).includes('database-corrupt'))
  await assert.rejects(data.rebuild(), /the database is damaged .*: restore a backup/)
})

test('a damaged index is made again', async () => {
  using data = copy()
  {
    using sqlite = new DatabaseSync(join(data.folder, 'pds.sqlite'), { defensive: false })
    sqlite.exec('PRAGMA writable_schema = ON')
    sqlite.exec(
      `UPDATE sqlite_schema SET sql = 'CREATE INDEX record_by_cid ON record (repo, rev)' WHERE name = 'record_by_cid'`,
    )
    sqlite.exec('PRAGMA writable_schema = OFF')
  }
  assert.ok(codesOf(await data.verify()).includes('database-corrupt'))
  assert.match((await data.rebuild()).repairs[0]!.message, /indexes of the database were made again/)
})

test('while a server runs, it is verified as it is, and not rebuilt', async () => {
  using data = copy()
  await using _pds = await openTestPds({ folder: data.folder })
  assert.deepEqual(await data.verify(), [])
  await assert.rejects(data.rebuild(), (error) => {
    assert.ok(error instanceof DataDirectoryInUseError)
    assert.deepEqual(error.holder?.pid, process.pid)
    assert.match(error.message, new RegExp(`^${data.folder} is in use by process ${process.pid} on `))
    return true
  })
})

test('an upload that is under way, or whose row a crash prevented, is nobody’s business for a day', async () => {
  using data = copy()
  const stray = data.blobFile(alice, cidOfRaw(BLOB.slice(2)).toString())
  writeFileSync(stray, BLOB.slice(2))
  assert.deepEqual(await data.verify({ now: Date.now }), [])
  utimesSync(stray, 1, 1)
  assert.deepEqual(codesOf(await data.verify({ now: Date.now })), ['blob-file-stray'])
  await data.rebuild({ now: Date.now })
  assert.equal(existsSync(stray), false)
})

/** Columns that damage can hit; what is not in them follows from nothing, and is a matter for backups. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  repo: ['head', 'rev', 'data', 'commit_bytes'],
  node: ['cid', 'bytes'],
  record: ['path', 'cid', 'bytes'],
  blob: ['cid', 'size', 'temporary'],
  record_blob: ['path', 'cid'],
  backlink: ['path', 'subject'],
  event: ['payload'],
}

const SEEDS = process.env['SEED']?.split(',').map(Number) ?? [1, 2, 3, 4]

test('whatever is damaged, and however much of it, rebuild ends with a directory that is clean', async () => {
  for (const seed of SEEDS) {
    const random = createRandom(seed)
    using data = copy()
    const tables = Object.keys(COLUMNS)
    let damaged = 0
    for (let n = 1 + random.int(6); n > 0; n--) {
      const table = random.pick(tables)
      const rows = data.sql(`SELECT * FROM ${table}`)
      if (rows.length === 0) continue
      const row = random.pick(rows)
      const column = random.pick(COLUMNS[table]!)
      const key = Object.keys(row)
        .map((name) => `${name} IS ?`)
        .join(' AND ')
      const values = Object.values(row) as (string | number | Uint8Array)[]
      if (table !== 'repo' && random.int(3) === 0) data.sql(`DELETE FROM ${table} WHERE ${key}`, ...values)
      else {
        const value = row[column]
        const other =
          typeof value === 'number'
            ? 1 - value
            : typeof value === 'string'
              ? `${value.slice(0, -1)}${random.pick(['2', 'z'])}`
              : random.int(4) === 0
                ? random.bytes(random.int(60))
                : flipped(value as Uint8Array)
        data.sql(`UPDATE OR IGNORE ${table} SET ${column} = ? WHERE ${key}`, other, ...values)
      }
      damaged++
    }
    const context = `seed ${seed}`
    assert.ok(damaged > 0, context)
    const found = await data.verify()
    const { lost, repairs } = await data.rebuild()
    if (found.length > 0) assert.ok(lost.length + repairs.length > 0, `${context}: ${codesOf(found)}`)
    const left = (await data.verify()).filter(({ level }) => level === 'error')
    assert.deepEqual(left, [], context)
    const again = await data.rebuild()
    assert.deepEqual(textsOf(again), [], context)
  }
})

test('a server at work is never found to be damaged', async () => {
  using data = copy()
  const clock = createManualClock(Date.UTC(2026, 0, 2))
  await using pds = await openTestPds({ folder: data.folder, clock })
  const { accessJwt: token } = (
    await pds.procedure('com.atproto.server.createSession', {
      body: { identifier: 'alice.test', password: 'password of alice' },
    })
  ).body
  let running = true
  let writes = 0
  const random = createRandom(9)
  async function work(rkey: string): Promise<void> {
    while (running) {
      const { body } = await pds.procedure('com.atproto.repo.uploadBlob', {
        token,
        body: random.bytes(50),
        headers: { 'content-type': 'application/octet-stream' },
      })
      for (const record of [{ blob: body.blob }, { text: rkey }])
        await pds.procedure('com.atproto.repo.putRecord', {
          token,
          body: { repo: alice, collection: NOTE, rkey, record },
        })
      writes++
      clock.advance(3_600_000)
      if (writes % 10 === 0) await pds.pds.maintain()
    }
  }
  const workers = ['one', 'two', 'three'].map(work)
  for (let checks = 0; writes < 30; checks++) {
    assert.deepEqual(await data.verify({ now: Date.now }), [], `check ${checks}, after ${writes} writes`)
    await nextTurn()
  }
  running = false
  await Promise.all(workers)
})
