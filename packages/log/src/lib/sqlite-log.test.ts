import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { eventLogContract, newEntry } from '../event-log.contract.ts'
import type { EventLog, LogEntry } from './event-log.ts'
import { openSqliteLog } from './sqlite-log.ts'

eventLogContract('SQLite log', {
  durable: true,
  prunesExactly: true,
  harness: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imago-log-'))
    let db: DatabaseSync | undefined
    return {
      open: async (options) => {
        db?.close()
        db = new DatabaseSync(join(folder, 'log.sqlite'))
        db.exec('PRAGMA journal_mode = WAL')
        return openSqliteLog(db, { ...options, table: 'event' })
      },
      [Symbol.asyncDispose]: async () => {
        db?.close()
        rmSync(folder, { recursive: true })
      },
    }
  },
})

function setUp() {
  const db = new DatabaseSync(':memory:')
  const log = openSqliteLog(db, { table: 'event', now: () => 1000 })
  const heard: number[] = []
  log.subscribe((entries) => heard.push(...entries.map(({ seq }) => seq)))
  return { db, log, heard }
}

const seqsOf = async (log: EventLog) => (await log.read(0)).map(({ seq }) => seq)

test('an event commits with the state it announces, and is announced after', async () => {
  const { db, log, heard } = setUp()
  db.exec('CREATE TABLE account (did TEXT) STRICT; BEGIN')
  db.exec(`INSERT INTO account VALUES ('did:example:a')`)
  const entries = log.appendInTransaction([newEntry('did:example:a')])
  assert.deepEqual([log.head, heard], [0, []], 'nothing is seen before the COMMIT')
  assert.deepEqual(await log.read(0), [])
  db.exec('COMMIT')
  assert.deepEqual(await log.read(0), [], 'nor before it is published')
  log.publish(entries)
  assert.deepEqual([log.head, heard], [1, [1]])
  assert.deepEqual(await seqsOf(log), [1])
})

test('what is rolled back never was: its number is given again, and publishing it announces nothing', async () => {
  const { db, log, heard } = setUp()
  db.exec('BEGIN')
  const lost = log.appendInTransaction([newEntry('a'), newEntry('b')])
  db.exec('ROLLBACK')
  log.publish(lost)
  assert.deepEqual([log.head, heard], [0, []])
  await log.append([newEntry('c')])
  assert.deepEqual([log.head, heard], [1, [1]])
  assert.equal((await log.read(0))[0]!.key, 'c')
})

test('several appends of one transaction are published together', () => {
  const { db, log, heard } = setUp()
  db.exec('BEGIN')
  const first = log.appendInTransaction([newEntry('a')])
  const second = log.appendInTransaction([newEntry('b'), newEntry('c')])
  db.exec('COMMIT')
  log.publish([...first, ...second])
  assert.deepEqual(heard, [1, 2, 3])
})

test('a commit that its owner forgot to publish is announced along with the next', async () => {
  const { db, log, heard } = setUp()
  db.exec('BEGIN')
  log.appendInTransaction([newEntry('forgotten')])
  db.exec('COMMIT')
  await log.append([newEntry('b')])
  assert.deepEqual(heard, [1, 2])
})

test('after a savepoint is rolled back, only what was committed is announced', () => {
  const { db, log, heard } = setUp()
  db.exec('BEGIN')
  const kept = log.appendInTransaction([newEntry('kept')])
  db.exec('SAVEPOINT attempt')
  const undone: readonly LogEntry[] = log.appendInTransaction([newEntry('undone')])
  db.exec('ROLLBACK TO attempt; COMMIT')
  log.publish([...kept, ...undone])
  assert.deepEqual([log.head, heard], [1, [1]])
})

test('calls on the wrong side of a transaction are refused', async () => {
  const { db, log } = setUp()
  assert.throws(() => log.appendInTransaction([newEntry('a')]), { code: 'Transaction' })
  db.exec('BEGIN')
  assert.throws(() => log.publish([]), { code: 'Transaction' })
  await assert.rejects(log.append([newEntry('a')]), { code: 'Transaction' })
  db.exec('ROLLBACK')
  await log.append([newEntry('a')])
  assert.equal(log.head, 1)
})

test('purging a key leaves gaps, and its numbers are not given again', async () => {
  const { db, log } = setUp()
  await log.append([newEntry('a'), newEntry('b'), newEntry('a')])
  assert.equal(log.removeKey('a'), 2)
  assert.equal(log.removeKey('nobody'), 0)
  assert.deepEqual(await seqsOf(log), [2])
  assert.deepEqual([log.head, log.oldest], [3, 1])
  db.exec('BEGIN')
  log.removeKey('b')
  db.exec('ROLLBACK')
  assert.deepEqual(await seqsOf(log), [2], 'inside a transaction it is part of it')
  assert.equal((await log.append([newEntry('c')]))[0]!.seq, 4)
})

test('a failing disk fails the append and leaves the log as it was', async () => {
  const { db, log, heard } = setUp()
  await log.append([newEntry('a')])
  const pages = db.prepare('PRAGMA page_count').get() as { page_count: number }
  db.exec(`PRAGMA max_page_count = ${pages.page_count}`)
  await assert.rejects(log.append([newEntry('b', 'x'.repeat(100_000))]), /full/)
  assert.deepEqual([log.head, heard, db.isTransaction], [1, [1], false])
  db.exec('PRAGMA max_page_count = 1000000')
  await log.append([newEntry('c')])
  assert.deepEqual(await seqsOf(log), [1, 2])
})

test('a long prune lets others work between its steps', async () => {
  let time = 1000
  const db = new DatabaseSync(':memory:')
  const log = openSqliteLog(db, { table: 'event', now: () => time })
  await log.append(Array.from({ length: 1300 }, () => newEntry('a')))
  time = 2000
  let finished = false
  const pruning = log.prune(1500).then((removed) => {
    finished = true
    return removed
  })
  await log.append([newEntry('b')])
  assert.equal(finished, false)
  assert.equal(await pruning, 1300)
  assert.deepEqual(await seqsOf(log), [1301])
})

test('a table name that is no identifier is refused', () => {
  const db = new DatabaseSync(':memory:')
  assert.throws(() => openSqliteLog(db, { table: 'a; DROP TABLE b', now: () => 0 }), { code: 'InvalidEntry' })
})
