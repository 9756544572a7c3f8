import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { decode, readCar } from '@imago/data'
import { verifyRepo } from '@imago/repo'
import { createRandom } from '@imago/sim/random'
import { verifyDataDirectory } from '../src/recovery.ts'
import { type Arriving, arriving, carOf, importCar, repoOf, someRecords } from './arrival.ts'
import { openTestPds, type TestPds } from './test-pds.ts'

const server = (name: string) => `com.atproto.server.${name}`
const sync = (name: string) => `com.atproto.sync.${name}`

const HOUR_MS = 3_600_000
const PIECE_BYTES = 4000

/** A body that comes in pieces, and breaks off where it says. */
function broken(car: Uint8Array, afterBytes: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= afterBytes) controller.error(new Error('the connection is gone'))
        else controller.enqueue(car.slice(at, (at = Math.min(at + PIECE_BYTES, afterBytes))))
      },
    },
    { highWaterMark: 0 },
  )
}

interface Left {
  readonly id: number
  readonly rev: string
  readonly nodes: number
  readonly records: number
}

function inDatabase<T>(pds: TestPds, work: (database: DatabaseSync) => T): T {
  using database = new DatabaseSync(join(pds.folder, 'pds.sqlite'), { readOnly: true })
  return work(database)
}

/** What waits for the same repository, as its note has it, which has to be what lies there. */
const leftOf = (pds: TestPds): Left | undefined =>
  inDatabase(pds, (database) => {
    const left = database.prepare('SELECT id, rev, nodes, records FROM unfinished_import').get() as
      | Left
      | undefined
    if (left === undefined) return undefined
    const there = database
      .prepare(
        `SELECT (SELECT count(*) FROM node WHERE repo = ?1) AS nodes,
          (SELECT count(*) FROM record WHERE repo = ?1) AS records`,
      )
      .get(left.id) as Record<string, number>
    assert.deepEqual({ ...there }, { nodes: left.nodes, records: left.records })
    return left
  })

/** Rows of whatever is no repository's own. Sweeping goes on after an answer. */
async function assertSwept(pds: TestPds): Promise<void> {
  const rows = () =>
    inDatabase(pds, (database) =>
      Object.values(
        database
          .prepare(
            `SELECT (SELECT count(*) FROM repo_remnant), (SELECT count(*) FROM unfinished_import),
              (SELECT count(*) FROM node WHERE repo NOT IN (SELECT id FROM repo)),
              (SELECT count(*) FROM record WHERE repo NOT IN (SELECT id FROM repo))`,
          )
          .get() as Record<string, number>,
      ).reduce((sum, count) => sum + count, 0),
    )
  for (let i = 0; i < 200 && rows() > 0; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(rows(), 0)
}

/** How many rows of the account's repository are of which revision. */
const revsOf = (pds: TestPds, did: string): Record<string, number> =>
  inDatabase(pds, (database) =>
    Object.fromEntries(
      (
        database
          .prepare(
            `SELECT rev, count(*) AS count FROM (
              SELECT rev FROM record WHERE repo = (SELECT id FROM repo WHERE did = ?1)
              UNION ALL SELECT rev FROM node WHERE repo = (SELECT id FROM repo WHERE did = ?1)) GROUP BY rev`,
          )
          .all(did) as { rev: string; count: number }[]
      ).map(({ rev, count }) => [rev, count]),
    ),
  )

async function newcomer(pds: TestPds, records: number) {
  const alice = await arriving(pds)
  const account = (await alice.createAccount()).body
  await alice.pointHere(account)
  const repo = repoOf(alice.did, alice.oldKey, someRecords(records))
  const status = async (on: TestPds = pds) =>
    (await on.query(server('checkAccountStatus'), { token: account.accessJwt })).body
  return { alice, token: account.accessJwt as string, repo, status }
}

/** The repository has been taken in as it was sent, and nothing in the data directory is amiss. */
async function assertWhole(
  pds: TestPds,
  { did }: Arriving,
  token: string,
  repo: ReturnType<typeof repoOf>,
): Promise<void> {
  const activated = await pds.procedure(server('activateAccount'), { token })
  assert.equal(activated.status, 200, JSON.stringify(activated.body))
  const exported = readCar((await pds.query(sync('getRepo'), { params: { did } })).body)
  const { commit, records } = verifyRepo(exported, { did })
  assert.ok(commit.data.equals(repo.tree.root))
  assert.deepEqual([...records.keys()].sort(), repo.entries.map(([path]) => path).sort())
  const findings = []
  for await (const item of verifyDataDirectory({ dataDirectory: pds.folder, now: pds.clock.now }))
    if (item.type === 'finding') findings.push(item.code)
  assert.deepEqual([...new Set(findings)], ['blob-absent'], 'pictures were never uploaded')
  await assertSwept(pds)
}

test('[R8] [M8] an import that broke off goes on when the same file is sent again, after a restart as well', async () => {
  await using pds = await openTestPds()
  const { alice, token, repo, status } = await newcomer(pds, 3000)
  const first = await importCar(pds, token, broken(repo.car, repo.car.length * 0.6))
  assert.deepEqual([first.status, first.body.error], [400, 'InvalidRequest'])
  assert.match(first.body.message, /cannot be read/)
  pds.clock.advance(1000)
  const left = leftOf(pds)!
  assert.ok(left.records > 1000 && left.records < 2500, String(left.records))
  assert.equal((await status()).indexedRecords, 0, 'nobody sees it')

  await using again = await pds.restart()
  assert.deepEqual(leftOf(again), left, 'what may go on is not swept')
  let arrived = 0
  let counted: Record<string, number> | undefined
  const watched = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Long before what is new.
        if (arrived > repo.car.length / 10) counted ??= await status(again)
        if (arrived >= repo.car.length) controller.close()
        else controller.enqueue(repo.car.slice(arrived, (arrived += PIECE_BYTES)))
      },
    },
    { highWaterMark: 0 },
  )
  assert.equal((await importCar(again, token, watched)).status, 200)
  assert.deepEqual(
    [counted!['indexedRecords'], counted!['repoBlocks']],
    [left.records, 1 + left.nodes + left.records],
  )
  const said = again.logged.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'imported a repository')
  assert.deepEqual([said.resumedBlocks, said.records], [left.nodes + left.records, 3000])
  const revs = revsOf(again, alice.did)
  assert.equal(revs[left.rev], left.nodes + left.records, 'nothing is written twice')
  assert.ok((await status(again)).repoRev > left.rev)
  await assertWhole(again, alice, token, repo)
})

test('[R8] it may break off again and again, and blocks may come in another order', async () => {
  await using pds = await openTestPds()
  const { alice, token, repo } = await newcomer(pds, 2500)
  let before = 0
  for (let part = 0.15; part < 1; part += 0.15) {
    const { status } = await importCar(pds, token, broken(repo.car, Math.floor(repo.car.length * part)))
    assert.equal(status, 400)
    const { records } = leftOf(pds)!
    assert.ok(records >= before)
    before = records
  }
  assert.ok(before > 1500)
  const shuffled = carOf([repo.signed.cid], createRandom(3).shuffle(repo.sent))
  assert.equal((await importCar(pds, token, shuffled)).status, 200)
  await assertWhole(pds, alice, token, repo)
})

test('[R8] a server that was killed goes on with what it had', async () => {
  await using pds = await openTestPds()
  const { alice, token, repo } = await newcomer(pds, 2500)
  const folder = mkdtempSync(join(tmpdir(), 'imago-pds-'))
  try {
    let sent = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          // As a power cut would leave it: no connection was closed, nothing was tidied up.
          if (sent > repo.car.length * 0.8) {
            cpSync(pds.folder, folder, { recursive: true })
            controller.error(new Error('the power is gone'))
          } else controller.enqueue(repo.car.slice(sent, (sent += PIECE_BYTES)))
        },
      },
      { highWaterMark: 0 },
    )
    await importCar(pds, token, body)
    pds.clock.advance(1000)
    await using after = await openTestPds({ folder, plc: pds.plc, clock: pds.clock, seed: 2 })
    const left = leftOf(after)!
    assert.ok(left.records > 1000)
    assert.equal((await importCar(after, token, repo.car)).status, 200)
    assert.equal(revsOf(after, alice.did)[left.rev], left.nodes + left.records)
    await assertWhole(after, alice, token, repo)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('[R8] another repository, a day, or the end of the account does away with what was left', async () => {
  await using pds = await openTestPds()
  const { alice, token, repo } = await newcomer(pds, 1500)
  const breakOff = async (car: Uint8Array) => {
    assert.equal((await importCar(pds, token, broken(car, Math.floor(car.length * 0.9)))).status, 400)
    return leftOf(pds)!
  }
  const one = await breakOff(repo.car)
  const other = repoOf(alice.did, alice.oldKey, someRecords(1600))
  const two = await breakOff(other.car)
  assert.notEqual(two.id, one.id)
  assert.ok(revsOf(pds, alice.did)[two.rev] === undefined)

  pds.clock.advance(24 * HOUR_MS)
  await pds.pds.maintain()
  assert.deepEqual(leftOf(pds), two)
  pds.clock.advance(1)
  await pds.pds.maintain()
  await assertSwept(pds)

  await breakOff(other.car)
  pds.clock.advance(3 * 24 * HOUR_MS)
  await pds.pds.maintain()
  const gone = await pds.query(sync('getRepoStatus'), { params: { did: alice.did } })
  assert.equal(gone.body.error, 'RepoNotFound')
  await assertSwept(pds)
})

test('[R8] a file that is wrong in itself leaves nothing to go on with', async () => {
  await using pds = await openTestPds()
  const { alice, token } = await newcomer(pds, 1)
  const records = { ...someRecords(1500), 'com.example.zzz/last': ['no map'] }
  const { car } = repoOf(alice.did, alice.oldKey, records)
  const refused = await importCar(pds, token, car)
  assert.match(refused.body.message, /is not a map/)
  await assertSwept(pds)
})

test('[R8] [M6] a repository that was written to meanwhile, or a clock set back, makes it begin anew', async () => {
  await using pds = await openTestPds()
  const { alice, token, repo } = await newcomer(pds, 1500)
  assert.equal((await importCar(pds, token, repo.car)).status, 200)
  assert.equal((await pds.procedure(server('activateAccount'), { token })).status, 200)
  const next = repoOf(alice.did, alice.oldKey, {
    ...someRecords(1500),
    'com.example.zzz/last': { text: 'last' },
  })
  const breakOff = async (on: TestPds) => {
    assert.equal(
      (await importCar(on, token, broken(next.car, Math.floor(next.car.length * 0.9)))).status,
      400,
    )
    return leftOf(on)
  }
  const first = (await breakOff(pds))!
  // A record that both have, and that is staged with the revision that it had: it goes, and so has to come back as new.
  const [path] = repo.entries.find(([each]) => each.includes('.like/'))!
  const [collection, rkey] = path.split('/')
  const deleted = await pds.procedure('com.atproto.repo.deleteRecord', {
    token,
    body: { repo: alice.did, collection, rkey },
  })
  const since = deleted.body.commit.rev
  pds.clock.advance(60_000)
  const second = (await breakOff(pds))!
  assert.notEqual(second.id, first.id)

  pds.clock.advance(-120_000)
  await using back = await pds.restart()
  const third = (await breakOff(back))!
  assert.ok(third.id !== second.id && third.rev < second.rev)

  assert.equal((await importCar(back, token, next.car)).status, 200)
  const { body } = await back.query(sync('getRepo'), { params: { did: alice.did, since } })
  const values = [...readCar(body).blocks].map(({ bytes }) => decode(bytes) as Record<string, unknown>)
  const fresh = values.filter((value) => value['$type'] !== undefined || value['text'] !== undefined)
  assert.equal(fresh.length, 2, 'the one that was deleted, and the one that was added')
  await back.pds.maintain()
  await assertSwept(back)
})

test('[R8] blocks that waited in a file come in as they were sent, also where the import went on', async () => {
  await using pds = await openTestPds()
  const { alice, token } = await newcomer(pds, 1)
  const records = Object.fromEntries(
    Array.from({ length: 4000 }, (_, n) => [
      `com.example.note/${String(n).padStart(5, '0')}`,
      { $type: 'com.example.note', text: `${n} ${'x'.repeat(n % 7 === 0 ? 3000 : 400)}` },
    ]),
  )
  const repo = repoOf(alice.did, alice.oldKey, records)
  const assertSame = async () => {
    const answer = await pds.query(sync('getRepo'), { params: { did: alice.did } })
    // Reading it hashes every block.
    const { blocks } = readCar(answer.body)
    for (const [path, cid] of repo.entries) assert.deepEqual(blocks.get(cid), repo.blocks.get(cid), path)
  }
  assert.equal((await importCar(pds, token, broken(repo.car, Math.floor(repo.car.length / 2)))).status, 400)
  pds.clock.advance(1000)
  const shuffled = carOf([repo.signed.cid], createRandom(9).shuffle(repo.sent))
  assert.equal((await importCar(pds, token, shuffled)).status, 200)
  assert.equal((await pds.procedure(server('activateAccount'), { token })).status, 200)
  await assertSame()
  // Over itself, and from the beginning.
  assert.equal((await importCar(pds, token, shuffled)).status, 200)
  await assertSame()
  await assertSwept(pds)
})

test('[F8] nobody waits for a large account to be removed: it is out of reach at once, and goes bit by bit', async () => {
  const before = await openTestPds()
  const { alice, token, repo } = await newcomer(before, 6000)
  await importCar(before, token, repo.car)
  const removed = await before.procedure('com.atproto.admin.deleteAccount', {
    body: { did: alice.did },
    headers: { authorization: `Basic ${btoa('admin:operator')}` },
  })
  assert.equal(removed.status, 200)
  const left = inDatabase(before, (database) =>
    database.prepare('SELECT count(*) AS records FROM record').get(),
  )
  assert.ok((left!['records'] as number) > 1000, 'the answer did not wait for them')
  const gone = await before.query(sync('getRepoStatus'), { params: { did: alice.did } })
  assert.equal(gone.body.error, 'RepoNotFound')
  await using pds = await before.restart()
  await assertSwept(pds)
  const findings = []
  for await (const item of verifyDataDirectory({ dataDirectory: pds.folder, now: pds.clock.now }))
    if (item.type === 'finding') findings.push(item.code)
  assert.deepEqual(findings, [])
  await before[Symbol.asyncDispose]()
})
