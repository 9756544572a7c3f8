import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createWalCheckpoints, type WalCheckpointsOptions } from './wal-checkpoints.ts'

const PAGES = 50

/** A database of one table, whose rows take more than a page each. */
function setUp(options: Partial<WalCheckpointsOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'imago-checkpoints-'))
  const path = join(folder, 'data.sqlite')
  const db = new DatabaseSync(path)
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, bytes BLOB)',
  )
  const failures: string[] = []
  const checkpoints = createWalCheckpoints({
    db,
    onFailure: (error) => failures.push((error as Error).message),
    pages: PAGES,
    ...options,
  })
  const insert = db.prepare('INSERT INTO row (bytes) VALUES (zeroblob(5000))')
  const look = db.prepare('PRAGMA wal_checkpoint(NOOP)')
  const length = () => look.get()!['log'] as number
  return {
    db,
    path,
    checkpoints,
    failures,
    length,
    write() {
      checkpoints.beforeWrite()
      insert.run()
    },
    /** Writes until something has come of it, or so many times. Returns whether it has. */
    async writeUntil(done: () => boolean, most = 20 * PAGES): Promise<boolean> {
      for (let i = 0; i < most; i++) {
        this.write()
        if (i % PAGES === 0) await checkpoints.idle()
        else await nextTurn()
        if (done()) return true
      }
      return false
    },
    async [Symbol.asyncDispose]() {
      await checkpoints[Symbol.asyncDispose]()
      if (db.isOpen) db.close()
      rmSync(folder, { recursive: true })
    },
  }
}

type Bench = ReturnType<typeof setUp>

/** Whether the WAL has become shorter since the last time that this was asked. */
function begunAnew({ length }: Bench): () => boolean {
  let last = 0
  return () => {
    const before = last
    last = length()
    return last < before
  }
}

test('the WAL begins anew while writes go on, again and again', async () => {
  await using bench = setUp()
  for (let time = 0; time < 3; time++) assert.ok(await bench.writeUntil(begunAnew(bench)))
  assert.deepEqual(bench.failures, [])
  const rows = bench.db.prepare('SELECT count(*) AS n FROM row').get()!['n'] as number
  assert.ok(bench.length() < rows)
})

test('a snapshot that is held open sees what it saw, delays the new beginning, and does not prevent it', async () => {
  await using bench = setUp()
  bench.write()
  using reader = new DatabaseSync(bench.path, { readOnly: true })
  const count = reader.prepare('SELECT count(*) AS n FROM row')
  reader.exec('BEGIN')
  assert.equal(count.get()!['n'], 1)
  assert.equal(await bench.writeUntil(begunAnew(bench), 6 * PAGES), false)
  assert.equal(count.get()!['n'], 1)
  reader.exec('ROLLBACK')
  assert.ok(await bench.writeUntil(begunAnew(bench)))
  assert.deepEqual(bench.failures, [])
})

test('a thread that does not keep up is helped: the WAL begins anew even where no rest is small enough', async () => {
  await using bench = setUp({ restPages: -1 })
  assert.ok(await bench.writeUntil(begunAnew(bench)))
})

test('disposing waits for the thread, and gives the connection its own checkpoints back', async () => {
  await using bench = setUp()
  const own = () => bench.db.prepare('PRAGMA wal_autocheckpoint').get()!['wal_autocheckpoint']
  assert.notEqual(own(), 1000)
  while (bench.length() < PAGES) bench.write()
  bench.write()
  await bench.checkpoints[Symbol.asyncDispose]()
  assert.equal(own(), 1000)
  bench.write()
  bench.db.close()
  // Only the last connection that closes takes the WAL with it.
  assert.equal(existsSync(`${bench.path}-wal`), false)
})

test('a checkpoint that fails is told, loses nothing, and is tried again', async () => {
  await using bench = setUp()
  renameSync(bench.path, `${bench.path}.away`)
  assert.ok(await bench.writeUntil(() => bench.failures.length === 1))
  assert.match(bench.failures[0]!, /unable to open database file/)
  assert.equal(existsSync(bench.path), false)
  renameSync(`${bench.path}.away`, bench.path)
  assert.ok(await bench.writeUntil(begunAnew(bench)))
  assert.equal(bench.failures.length, 1)
})

test('writing while a statement of the same connection is being read is no failure', async () => {
  await using bench = setUp()
  while (bench.length() < PAGES) bench.write()
  for (const _row of bench.db.prepare('SELECT id FROM row LIMIT 3').iterate()) bench.write()
  assert.deepEqual(bench.failures, [])
  assert.ok(await bench.writeUntil(begunAnew(bench)))
})

test('a database in memory has no checkpoints', async () => {
  using db = new DatabaseSync(':memory:')
  await using checkpoints = createWalCheckpoints({ db, onFailure: () => assert.fail() })
  checkpoints.beforeWrite()
  await checkpoints.idle()
})

/** Writes until it is killed, and says so after each COMMIT. */
const WRITER = `
  import { writeSync } from 'node:fs'
  import { DatabaseSync } from 'node:sqlite'
  import { setImmediate as nextTurn } from 'node:timers/promises'
  import { createWalCheckpoints } from ${JSON.stringify(new URL('wal-checkpoints.ts', import.meta.url).href)}
  const db = new DatabaseSync(process.argv[1])
  const checkpoints = createWalCheckpoints({ db, onFailure: (error) => { throw error }, pages: 20 })
  const insert = db.prepare('INSERT INTO row (bytes) VALUES (zeroblob(5000))')
  for (;;) {
    checkpoints.beforeWrite()
    writeSync(1, insert.run().lastInsertRowid + '\\n')
    await nextTurn()
  }`

test('a process that is killed between its checkpoints has lost nothing that it told of', async () => {
  await using bench = setUp()
  await bench.checkpoints[Symbol.asyncDispose]()
  for (const rows of [30, 100, 171]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, bench.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    let count = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text
      count += text.split('\n').length - 1
      if (count >= rows) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const last = Number(told.slice(0, told.lastIndexOf('\n')).split('\n').at(-1))
    const { n } = bench.db.prepare('SELECT count(*) AS n FROM row').get() as { n: number }
    assert.ok(n >= last, `row ${last} was told of, and ${n} are there`)
    assert.deepEqual({ ...bench.db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
  }
})
