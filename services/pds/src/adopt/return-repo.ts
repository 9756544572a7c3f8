import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import { actorDatabase, actorFolder, actorKey, type ReferenceLayout } from './reference-layout.ts'
import { timeToReference } from './reference-times.ts'

interface HeadRow {
  head: Uint8Array
  rev: string
  commit_bytes: Uint8Array
}

interface BlockRow {
  cid: Uint8Array
  rev: string
  bytes: Uint8Array
}

interface RecordRow extends BlockRow {
  path: string
}

/**
 * Makes the repository in a `store.sqlite` equal to ours, and the preferences with it, inside the caller's transaction.
 * @returns whether anything was different.
 */
export function returnRepo(
  ours: DatabaseSync,
  store: DatabaseSync,
  { did, repo, nowMs }: { did: Did; repo: number; nowMs: number },
): boolean {
  const preferences = returnPreferences(ours, store, did)
  const head = ours
    .prepare('SELECT head, rev, commit_bytes FROM repo WHERE id = ?')
    .get(repo) as unknown as HeadRow
  const root = store.prepare('SELECT cid FROM repo_root').get() as { cid: string } | undefined
  const cid = new Cid(head.head).toString()
  if (root?.cid === cid) return preferences

  const now = timeToReference(nowMs)
  store.exec('CREATE TEMP TABLE kept_block (cid TEXT PRIMARY KEY) WITHOUT ROWID')
  store.exec('CREATE TEMP TABLE kept_record (uri TEXT PRIMARY KEY) WITHOUT ROWID')
  const keepBlock = store.prepare('INSERT OR IGNORE INTO kept_block VALUES (?)')
  const keepRecord = store.prepare('INSERT INTO kept_record VALUES (?)')
  const putBlock = store.prepare(
    'INSERT OR IGNORE INTO repo_block (cid, repoRev, size, content) VALUES (?, ?, ?, ?)',
  )
  const putRecord = store.prepare(
    `INSERT INTO record (uri, cid, collection, rkey, repoRev, indexedAt) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (uri) DO UPDATE SET cid = excluded.cid, repoRev = excluded.repoRev, indexedAt = excluded.indexedAt
      WHERE cid <> excluded.cid`,
  )
  const put = (block: string, rev: string, bytes: Uint8Array) => {
    keepBlock.run(block)
    putBlock.run(block, rev, bytes.length, bytes)
  }

  put(cid, head.rev, head.commit_bytes)
  for (const row of rowsOf<BlockRow>(ours, 'SELECT cid, rev, bytes FROM node WHERE repo = ?', repo))
    put(new Cid(row.cid).toString(), row.rev, row.bytes)
  for (const row of rowsOf<RecordRow>(
    ours,
    'SELECT path, cid, rev, bytes FROM record WHERE repo = ?',
    repo,
  )) {
    const block = new Cid(row.cid).toString()
    const uri = `at://${did}/${row.path}`
    const [collection, rkey] = splitPath(row.path)
    put(block, row.rev, row.bytes)
    keepRecord.run(uri)
    putRecord.run(uri, block, collection, rkey, row.rev, now)
  }
  store.exec('DELETE FROM repo_block WHERE cid NOT IN (SELECT cid FROM kept_block)')
  store.exec('DELETE FROM record WHERE uri NOT IN (SELECT uri FROM kept_record)')
  store.exec('DROP TABLE kept_block; DROP TABLE kept_record')
  store
    .prepare(
      `INSERT INTO repo_root (did, cid, rev, indexedAt) VALUES (?, ?, ?, ?)
        ON CONFLICT (did) DO UPDATE SET cid = excluded.cid, rev = excluded.rev, indexedAt = excluded.indexedAt`,
    )
    .run(did, cid, head.rev, now)
  returnReferences(ours, store, did, repo)
  return true
}

function returnReferences(ours: DatabaseSync, store: DatabaseSync, did: Did, repo: number): void {
  store.exec('DELETE FROM record_blob; DELETE FROM backlink')
  const putBlob = store.prepare('INSERT INTO record_blob (blobCid, recordUri) VALUES (?, ?)')
  for (const { path, cid } of rowsOf<RecordRow>(
    ours,
    'SELECT path, cid FROM record_blob WHERE repo = ?',
    repo,
  ))
    putBlob.run(new Cid(cid).toString(), `at://${did}/${path}`)
  const putLink = store.prepare('INSERT INTO backlink (uri, path, linkTo) VALUES (?, ?, ?)')
  const links = rowsOf<{ path: string; subject: string }>(
    ours,
    'SELECT path, subject FROM backlink WHERE repo = ?',
    repo,
  )
  for (const { path, subject } of links)
    putLink.run(`at://${did}/${path}`, subject.startsWith('at://') ? 'subject.uri' : 'subject', subject)
}

function returnPreferences(ours: DatabaseSync, store: DatabaseSync, did: Did): boolean {
  const here = ours
    .prepare('SELECT type AS name, value FROM preference WHERE did = ? ORDER BY position')
    .all(did)
  const there = store.prepare('SELECT name, valueJson AS value FROM account_pref ORDER BY id').all()
  if (JSON.stringify(here) === JSON.stringify(there)) return false
  store.exec('DELETE FROM account_pref')
  const put = store.prepare('INSERT INTO account_pref (name, valueJson) VALUES (?, ?)')
  for (const { name, value } of here) put.run(name!, value!)
  return true
}

/**
 * Makes the folder of an account that the reference does not know. Its database gets the schema of another one there, so
 * that it is the one which that version writes.
 */
export function createActorStore(
  layout: ReferenceLayout,
  did: Did,
  signingKey: Uint8Array,
  template: string,
): void {
  mkdirSync(actorFolder(layout, did), { recursive: true })
  writeFileSync(actorKey(layout, did), signingKey, { flush: true })
  const unfinished = join(actorFolder(layout, did), 'unfinished.sqlite')
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${unfinished}${suffix}`, { force: true })
  {
    using stack = new DisposableStack()
    const model = stack.adopt(new DatabaseSync(template, { readOnly: true }), (database) => database.close())
    const store = stack.adopt(new DatabaseSync(unfinished), (database) => database.close())
    store.exec('PRAGMA journal_mode = WAL; BEGIN')
    const schema = model
      .prepare(
        `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, rowid`,
      )
      .all() as { sql: string }[]
    for (const { sql } of schema) store.exec(sql)
    for (const table of ['kysely_migration', 'kysely_migration_lock'])
      for (const row of model.prepare(`SELECT * FROM ${table}`).all()) {
        const names = Object.keys(row)
        store
          .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
          .run(...(Object.values(row) as string[]))
      }
    store.exec('COMMIT')
  }
  renameSync(unfinished, actorDatabase(layout, did))
}

const rowsOf = <Row>(sqlite: DatabaseSync, sql: string, repo: number) =>
  sqlite.prepare(sql).iterate(repo) as Iterable<unknown> as Iterable<Row>

function splitPath(path: string): [collection: string, rkey: string] {
  const slash = path.indexOf('/')
  return [path.slice(0, slash), path.slice(slash + 1)]
}
