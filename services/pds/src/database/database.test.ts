import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { openDatabase, openDatabaseReadOnly } from './database.ts'

test('a database keeps what it holds when it is opened again, and runs no migration twice', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pds-database-'))
  try {
    const path = join(folder, 'pds.sqlite')
    {
      using database = openDatabase(path)
      database.transaction(() => database.sqlite.exec(`INSERT INTO config VALUES ('a', 'b')`))
    }
    using database = openDatabase(path)
    assert.deepEqual({ ...database.sqlite.prepare('SELECT * FROM config').get() }, { name: 'a', value: 'b' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a file of an earlier schema is brought up to date when it is opened, and refused where it is only read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pds-database-'))
  try {
    const path = join(folder, 'pds.sqlite')
    {
      using earlier = new DatabaseSync(path)
      for (const name of ['001-initial', '002-blobs', '003-adoption', '004-imports'])
        earlier.exec(readFileSync(new URL(`./migrations/${name}.sql`, import.meta.url), 'utf8'))
      earlier.exec(`PRAGMA user_version = 4; INSERT INTO config VALUES ('a', 'b')`)
    }
    assert.throws(() => openDatabaseReadOnly(path), /has schema 4, .*start the server once/)
    using database = openDatabase(path)
    assert.deepEqual({ ...database.sqlite.prepare('SELECT * FROM config').get() }, { name: 'a', value: 'b' })
    database.transaction(() =>
      database.sqlite.exec(`INSERT INTO did_web VALUES (1, 'did:web:a.test', 0, '{}')`),
    )
    using reader = openDatabaseReadOnly(path)
    using snapshot = reader.openSnapshot()
    assert.equal(snapshot.prepare('SELECT did FROM did_web').get()!['did'], 'did:web:a.test')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a write waits for the disk: WAL with synchronous=FULL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pds-database-'))
  try {
    using database = openDatabase(join(folder, 'pds.sqlite'))
    const pragma = (name: string) => Object.values(database.sqlite.prepare(`PRAGMA ${name}`).get()!)[0]
    assert.equal(pragma('journal_mode'), 'wal')
    assert.equal(pragma('synchronous'), 2)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a transaction that throws leaves no trace, and the next one works', () => {
  using database = openDatabase(':memory:')
  const insert = database.sqlite.prepare('INSERT INTO config VALUES (?, ?)')
  assert.throws(
    () =>
      database.transaction(() => {
        insert.run('a', '1')
        insert.run('a', '2')
      }),
    /UNIQUE constraint failed/,
  )
  assert.equal(database.sqlite.prepare('SELECT count(*) AS n FROM config').get()!['n'], 0)
  database.transaction(() => insert.run('a', '3'))
})

test('a file of a newer schema is refused with a message that says what to do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pds-database-'))
  try {
    const path = join(folder, 'pds.sqlite')
    {
      using database = openDatabase(path)
      database.sqlite.exec('PRAGMA user_version = 99')
    }
    assert.throws(() => openDatabase(path), /has schema 99.*start the version that wrote it/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('whoever keeps the WAL short is asked before each transaction, while none is open', () => {
  using database = openDatabase(':memory:')
  const open: boolean[] = []
  database.onWrite(() => open.push(database.sqlite.isTransaction))
  const insert = database.sqlite.prepare('INSERT INTO config VALUES (?, ?)')
  database.transaction(() => insert.run('a', '1'))
  database.stage(() => insert.run('b', '2'))
  assert.deepEqual(open, [false, false])
})
