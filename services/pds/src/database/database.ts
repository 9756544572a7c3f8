import { readFileSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { makeDatabaseFile } from './data-directory.ts'

/** Immutable once released: a change of the schema is a new file at the end of this list. */
const MIGRATIONS = [
  '001-initial.sql',
  '002-blobs.sql',
  '003-adoption.sql',
  '004-imports.sql',
  '005-did-web.sql',
  '006-import-resume.sql',
] as const

/** Name of the file in a data directory. */
export const DATABASE_FILE = 'pds.sqlite'

const IN_MEMORY = ':memory:'

const MAX_IDLE_READERS = 8

/**
 * The one SQLite file of a PDS. It has one connection and JavaScript runs to completion, so a transaction never
 * interleaves with another, and whoever reads outside of one sees only what is committed.
 */
export interface Database extends Disposable {
  readonly sqlite: DatabaseSync
  /**
   * Runs `work` in one transaction, and returns what it returns once that is durable (WAL, `synchronous=FULL`).
   * Whatever it throws undoes all of it and is thrown on. `work` must not be asynchronous, nor nest.
   */
  transaction<T>(work: () => T): T
  /**
   * As {@link Database.transaction}, without waiting for the disk: a power cut may undo it. For what nobody sees before a
   * transaction that does wait, which makes durable whatever came before it.
   */
  stage<T>(work: () => T): T
  /**
   * A second connection inside a read transaction: it sees the file as it is at this moment until it is disposed of,
   * while writers go on. Connections are kept and lent again.
   * @throws {Error} for a database in memory, which has one connection only.
   */
  openSnapshot(): Snapshot
  /** Calls `listener`, which must not throw, before each transaction. There is one listener. */
  onWrite(listener: () => void): void
}

/** A database that is only read. One snapshot at a time. */
export interface DatabaseReader extends Pick<Database, 'openSnapshot'>, Disposable {}

export interface Snapshot extends Disposable {
  /** The same statement each time for the same text: prepared once for the life of the connection. */
  prepare(sql: string): StatementSync
}

/**
 * Opens the file, or makes it, and brings its schema up to date. `:memory:` keeps everything in memory.
 * @throws {Error} when a newer version of this program wrote the file, or when SQLite cannot open it.
 */
export function openDatabase(path: string): Database {
  if (path !== IN_MEMORY) makeDatabaseFile(path)
  const sqlite = new DatabaseSync(path)
  try {
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
    // A checkpoint writes the whole WAL back and waits for the disk twice: seldom and larger is cheaper than often.
    sqlite.exec('PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16384')
    const database = wrap(sqlite, path)
    migrate(database, path)
    return database
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** A deferred transaction takes its snapshot with the first read, which must therefore happen at once. */
const BEGIN_SNAPSHOT = 'BEGIN; SELECT count(*) FROM config'

function wrap(sqlite: DatabaseSync, path: string): Database {
  const begin = sqlite.prepare('BEGIN IMMEDIATE')
  const commit = sqlite.prepare('COMMIT')
  const idleReaders: Reader[] = []
  let closed = false
  let beforeWrite: (() => void) | undefined
  function transaction<T>(work: () => T): T {
    beforeWrite?.()
    begin.run()
    try {
      const result = work()
      commit.run()
      return result
    } catch (error) {
      // A full disk makes SQLite roll back by itself; a second ROLLBACK would hide the first error.
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
      throw error
    }
  }

  return {
    sqlite,
    transaction,
    stage(work) {
      sqlite.exec('PRAGMA synchronous = NORMAL')
      try {
        return transaction(work)
      } finally {
        sqlite.exec('PRAGMA synchronous = FULL')
      }
    },
    openSnapshot() {
      if (path === IN_MEMORY) throw new Error('a database in memory has no second connection to read from')
      const reader = idleReaders.pop() ?? openReader(path)
      reader.sqlite.exec(BEGIN_SNAPSHOT)
      return {
        prepare: reader.prepare,
        [Symbol.dispose]() {
          reader.sqlite.exec('ROLLBACK')
          if (closed || idleReaders.length >= MAX_IDLE_READERS) reader.sqlite.close()
          else idleReaders.push(reader)
        },
      }
    },
    onWrite(listener) {
      beforeWrite = listener
    },
    [Symbol.dispose]() {
      closed = true
      for (const { sqlite: connection } of idleReaders.splice(0)) connection.close()
      sqlite.close()
    },
  }
}

/**
 * Opens the file for reading only, beside whoever writes to it. It has no transactions; each snapshot sees one moment.
 * @throws {Error} when the file is absent, is no database, or has another schema than this version writes.
 */
export function openDatabaseReadOnly(path: string): DatabaseReader {
  const { sqlite, prepare } = openReader(path)
  try {
    sqlite.exec('PRAGMA busy_timeout = 5000')
    const version = schemaVersion(sqlite)
    assertKnownSchema(version, path)
    if (version < MIGRATIONS.length)
      throw new Error(
        `${path} has schema ${version}, and this version of the PDS works with ${MIGRATIONS.length}: start the server once, which brings it up to date`,
      )
  } catch (error) {
    sqlite.close()
    throw error
  }
  return {
    openSnapshot() {
      sqlite.exec(BEGIN_SNAPSHOT)
      return { prepare, [Symbol.dispose]: () => sqlite.exec('ROLLBACK') }
    },
    [Symbol.dispose]: () => sqlite.close(),
  }
}

interface Reader {
  readonly sqlite: DatabaseSync
  prepare(sql: string): StatementSync
}

function openReader(path: string): Reader {
  const sqlite = new DatabaseSync(path, { readOnly: true })
  const statements = new Map<string, StatementSync>()
  return {
    sqlite,
    prepare(sql) {
      let statement = statements.get(sql)
      if (statement === undefined) statements.set(sql, (statement = sqlite.prepare(sql)))
      return statement
    },
  }
}

function migrate(database: Database, path: string): void {
  const { sqlite } = database
  const version = schemaVersion(sqlite)
  assertKnownSchema(version, path)
  for (const [index, name] of MIGRATIONS.entries()) {
    if (index < version) continue
    const sql = readFileSync(new URL(`./migrations/${name}`, import.meta.url), 'utf8')
    database.transaction(() => {
      sqlite.exec(sql)
      sqlite.exec(`PRAGMA user_version = ${index + 1}`)
    })
  }
}

function schemaVersion(sqlite: DatabaseSync): number {
  return (sqlite.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}

function assertKnownSchema(version: number, path: string): void {
  if (version > MIGRATIONS.length)
    throw new Error(
      `${path} has schema ${version}, and this version of the PDS knows ${MIGRATIONS.length}: start the version that wrote it, or restore a backup`,
    )
}
