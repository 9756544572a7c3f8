import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DidWebHistoryBounds } from '@imago/identity'
import { didWebHistoryContract } from '@imago/identity/contract'
import type { Did } from '@imago/syntax'
import { openDatabase } from '../database/database.ts'
import { createSqliteDidWebHistory } from './did-web-history-sqlite.ts'

const alice: Did = 'did:web:alice.test'
const bob: Did = 'did:web:bob.test'
const seenOf = (id: Did, seenAt = 1) => ({ document: { id, alsoKnownAs: [] }, seenAt })
const didOf = (i: number): Did => `did:web:n${i}.test`

function setUp(bounds: DidWebHistoryBounds = {}, path = ':memory:') {
  const database = openDatabase(path)
  const failures: string[] = []
  const history = createSqliteDidWebHistory(database, {
    ...bounds,
    onFailure: (error) => void failures.push((error as Error).message),
  })
  return {
    database,
    history,
    failures,
    rows: () => database.sqlite.prepare('SELECT did FROM did_web ORDER BY id').all().flatMap(Object.values),
    [Symbol.dispose]() {
      history[Symbol.dispose]()
      database[Symbol.dispose]()
    },
  }
}

didWebHistoryContract('SQLite', async (bounds) => {
  const bench = setUp(bounds)
  return {
    history: bench.history,
    async settle() {
      await nextTurn()
      assert.deepEqual(bench.failures, [])
    },
    async [Symbol.asyncDispose]() {
      bench[Symbol.dispose]()
    },
  }
})

test('a did:web history is there after a restart, with its bounds, also what was put in the last turn', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-did-web-'))
  try {
    const path = join(folder, 'pds.sqlite')
    {
      using before = setUp({}, path)
      for (let i = 0; i < 4; i++) await before.history.put(didOf(i), seenOf(didOf(i)))
      await nextTurn()
      await before.history.put(alice, seenOf(alice, 5))
    }
    using after = setUp({ maxDocuments: 5 }, path)
    assert.deepEqual(await after.history.last(alice), seenOf(alice, 5))
    await after.history.put(bob, seenOf(bob))
    await nextTurn()
    assert.deepEqual(after.rows(), [didOf(1), didOf(2), didOf(3), alice, bob])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('nothing is written in the turn of a put; what came in one turn is one transaction without a wait for the disk', async () => {
  using bench = setUp()
  let writes = 0
  bench.database.onWrite(() => writes++)
  const synchronous = () => Object.values(bench.database.sqlite.prepare('PRAGMA synchronous').get()!)[0]
  const during: unknown[] = []
  bench.database.sqlite.function('look', () => {
    during.push(synchronous())
    return null
  })
  bench.database.sqlite.exec('CREATE TEMP TRIGGER watch AFTER INSERT ON did_web BEGIN SELECT look(); END')
  for (const did of [alice, bob, alice]) await bench.history.put(did, seenOf(did))
  assert.equal(writes, 0)
  await nextTurn()
  assert.equal(writes, 1)
  assert.deepEqual(bench.rows(), [bob, alice])
  const [NORMAL, FULL] = [1, 2]
  assert.deepEqual(during, [NORMAL, NORMAL])
  assert.equal(synchronous(), FULL)
})

test('strangers cannot push out accounts that live here, unless these fill it by themselves', async () => {
  using bench = setUp({ maxDocuments: 10 })
  const account = bench.database.sqlite.prepare(
    `INSERT INTO account (did, handle, password_hash, created_at) VALUES (?, ?, '', 0)`,
  )
  for (const did of [alice, bob]) {
    account.run(did, `${did.slice('did:web:'.length)}`)
    await bench.history.put(did, seenOf(did))
  }
  for (let i = 0; i < 100; i++) {
    await bench.history.put(didOf(i), seenOf(didOf(i)))
    if (i % 7 === 0) await nextTurn()
  }
  await nextTurn()
  const newest = Array.from({ length: 8 }, (_, i) => didOf(92 + i))
  assert.deepEqual(bench.rows(), [alice, bob, ...newest])
  for (let i = 0; i < 10; i++) {
    account.run(didOf(i), `n${i}.test`)
    await bench.history.put(didOf(i), seenOf(didOf(i)))
  }
  await nextTurn()
  assert.deepEqual(
    bench.rows(),
    Array.from({ length: 10 }, (_, i) => didOf(i)),
  )
})

test('a write that fails is told, costs what it brought, and leaves count and bounds right', async () => {
  using bench = setUp({ maxDocuments: 2 })
  const { history, database, failures } = bench
  await history.put(alice, seenOf(alice))
  await nextTurn()
  database.sqlite.exec(
    `CREATE TEMP TRIGGER broken BEFORE INSERT ON did_web WHEN new.did = '${didOf(1)}' BEGIN SELECT RAISE(ABORT, 'disk'); END`,
  )
  await history.put(didOf(0), seenOf(didOf(0)))
  await history.put(didOf(1), seenOf(didOf(1)))
  await nextTurn()
  assert.deepEqual([failures, bench.rows()], [['disk'], [alice]])
  assert.equal(await history.last(didOf(0)), undefined)
  await history.put(bob, seenOf(bob))
  await nextTurn()
  assert.deepEqual(bench.rows(), [alice, bob])
})

test('a row that is damaged counts as none, and the next document takes its place', async () => {
  using bench = setUp()
  await bench.history.put(alice, seenOf(alice))
  await nextTurn()
  bench.database.sqlite.exec(`UPDATE did_web SET document = '{'`)
  assert.equal(await bench.history.last(alice), undefined)
  assert.deepEqual(bench.failures, ['what is kept of did:web:alice.test is not JSON'])
  await bench.history.put(alice, seenOf(alice, 2))
  await nextTurn()
  assert.deepEqual(await bench.history.last(alice), seenOf(alice, 2))
})

test('whoever resolves after the end finds nothing, and writes nothing', async () => {
  const bench = setUp()
  await bench.history.put(alice, seenOf(alice))
  bench[Symbol.dispose]()
  assert.equal(await bench.history.last(alice), undefined)
  await bench.history.put(bob, seenOf(bob))
  await nextTurn()
  assert.deepEqual(bench.failures, [])
})
