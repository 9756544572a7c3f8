import { equalBytes } from '@imago/data'
import type { LogEntry } from '@imago/log'
import type { SqliteLog } from '@imago/log/sqlite'
import type { Tid } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { RepoStatus } from '../repos/repo-store.ts'
import { type SqliteRepoStore, UNUSED_ID } from '../repos/repo-store-sqlite.ts'
import type { ImportStore, NewImport, Staged } from './import-store.ts'

/** Tables whose rows an import brings. What hangs from a repository in any other moves over from the old number. */
const STAGED = ['node', 'record', 'record_blob', 'backlink'] as const

/**
 * Pages that SQLite keeps in memory while imports go on. What they write is read by nobody for a while, and would leave
 * nothing of what others read in a cache of any size: so they get a small one, in which a batch finds room.
 */
const CACHE_BYTES = 4 * 2 ** 20

/** Rows that one step of a sweep removes from a table: some milliseconds of work. */
const SWEPT_ROWS = 1000

/**
 * Imports in the service's own file. Everything that a repository holds hangs from a number; an import fills a new one,
 * and {@link Staging.finish} gives it to the DID: one small transaction, however large the repository is.
 */
export function createSqliteImportStore(
  database: Database,
  repos: Pick<SqliteRepoStore, 'idOf' | 'forgetId'>,
  log: Pick<SqliteLog, 'appendInTransaction' | 'publish'>,
): ImportStore {
  const { sqlite } = database
  const reserve = sqlite.prepare(`INSERT INTO repo_remnant (id) VALUES (${UNUSED_ID}) RETURNING id`)
  const addRemnant = sqlite.prepare('INSERT INTO repo_remnant (id) VALUES (?)')
  const forgetRemnant = sqlite.prepare('DELETE FROM repo_remnant WHERE id = ?')
  const remnants = sqlite.prepare(
    `SELECT id, EXISTS (SELECT 1 FROM unfinished_import AS u JOIN repo USING (did)
        WHERE u.id = repo_remnant.id AND repo.head = u.base AND begun_at >= ?) AS mayGoOn
      FROM repo_remnant ORDER BY id`,
  )
  const unfinished = sqlite.prepare(
    'SELECT id, file_head, base, rev, nodes, records, bytes FROM unfinished_import WHERE did = ?',
  )
  const begin = sqlite.prepare(
    'INSERT INTO unfinished_import (id, did, file_head, base, rev, begun_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const goOn = sqlite.prepare('UPDATE unfinished_import SET rev = ?, begun_at = ? WHERE id = ?')
  const count = sqlite.prepare(
    'UPDATE unfinished_import SET nodes = nodes + ?, records = records + ?, bytes = bytes + ? WHERE id = ?',
  )
  const forgetUnfinished = sqlite.prepare('DELETE FROM unfinished_import WHERE id = ?')
  const anyRecord = sqlite.prepare('SELECT 1 FROM record WHERE repo = ? LIMIT 1')

  const insertNode = sqlite.prepare('INSERT OR IGNORE INTO node (repo, cid, rev, bytes) VALUES (?, ?, ?, ?)')
  const insertRecord = sqlite.prepare(
    'INSERT INTO record (repo, path, cid, rev, bytes) VALUES (?, ?, ?, ?, ?)',
  )
  const mergeNode = sqlite.prepare(
    `INSERT OR IGNORE INTO node (repo, cid, rev, bytes)
      VALUES (?1, ?2, ifnull((SELECT rev FROM node WHERE repo = ?5 AND cid = ?2), ?3), ?4)`,
  )
  const mergeRecord = sqlite.prepare(
    `INSERT INTO record (repo, path, cid, rev, bytes)
      VALUES (?1, ?2, ?3, ifnull((SELECT rev FROM record WHERE repo = ?6 AND path = ?2 AND cid = ?3), ?4), ?5)`,
  )
  const insertReference = sqlite.prepare(
    `INSERT INTO record_blob (repo, path, cid, rev)
      VALUES (?1, ?2, ?3, ifnull((SELECT rev FROM record_blob WHERE repo = ?5 AND path = ?2 AND cid = ?3), ?4))`,
  )
  const insertBacklink = sqlite.prepare(
    'INSERT INTO backlink (repo, path, collection, subject) VALUES (?, ?, ?, ?)',
  )

  const switchOver = sqlite.prepare(
    'UPDATE repo SET id = ?, head = ?, rev = ?, data = ?, commit_bytes = ? WHERE id = ? AND did = ? AND head = ? RETURNING status',
  )
  const moveOver = tablesOfRepos(database).map((table) =>
    sqlite.prepare(`UPDATE ${table} SET repo = ? WHERE repo = ?`),
  )
  const keepBlobs = sqlite.prepare(
    `UPDATE blob SET temporary = 0 WHERE repo = ?1 AND temporary = 1
      AND EXISTS (SELECT 1 FROM record_blob INDEXED BY record_blob_by_cid WHERE repo = ?1 AND cid = blob.cid)`,
  )
  const releaseBlobs = sqlite.prepare(
    `UPDATE blob SET temporary = 1, created_at = ?2 WHERE repo = ?1 AND temporary = 0
      AND NOT EXISTS (SELECT 1 FROM record_blob INDEXED BY record_blob_by_cid WHERE repo = ?1 AND cid = blob.cid)`,
  )
  const sweeps = [
    sqlite.prepare(
      `DELETE FROM node WHERE id IN (SELECT id FROM node INDEXED BY node_by_cid WHERE repo = ?1 LIMIT ${SWEPT_ROWS})`,
    ),
    ...['record', 'record_blob', 'backlink'].map((table) =>
      sqlite.prepare(
        `DELETE FROM ${table} WHERE repo = ?1 AND path <= (SELECT max(path)
          FROM (SELECT path FROM ${table} WHERE repo = ?1 ORDER BY path LIMIT ${SWEPT_ROWS}))`,
      ),
    ),
  ]

  const cacheSize = sqlite.prepare('PRAGMA cache_size').get() as { cache_size: number }
  const underWay = new Set<number>()
  const discarded = new Set<number>()

  /** The number to go on with, or another. */
  function numberOf({ did, base, fileHead, rev, at }: NewImport): { number: number; present: Staged } {
    const left = unfinished.get(did) as UnfinishedRow | undefined
    // A clock that was set back is the one reason for an earlier revision: rows of a later one would be from the future.
    if (
      left !== undefined &&
      equalBytes(left.file_head, fileHead.bytes) &&
      equalBytes(left.base, base.bytes) &&
      left.rev < rev
    ) {
      goOn.run(rev, at, left.id)
      return { number: left.id, present: left }
    }
    if (left !== undefined) forgetUnfinished.run(left.id)
    const { id } = reserve.get() as { id: number }
    begin.run(id, did, fileHead.bytes, base.bytes, rev, at)
    return { number: id, present: NOTHING }
  }

  return {
    async begin(plan) {
      const { did, base, rev } = plan
      const before = repos.idOf(did)
      if (before === undefined) return undefined
      const { number, present } = database.stage(() => numberOf(plan))
      underWay.add(number)
      sqlite.exec(`PRAGMA cache_size = ${-CACHE_BYTES / 1024}`)
      discarded.delete(number)
      // An empty repository has nothing that could keep its revision.
      const replaces = anyRecord.get(before) !== undefined

      return {
        present,

        async put(nodes, records) {
          if (nodes.length === 0 && records.length === 0) return
          database.stage(() => {
            let size = 0
            for (const { cid, bytes } of nodes) {
              size += bytes.length
              if (replaces) mergeNode.run(number, cid.bytes, rev, bytes, before)
              else insertNode.run(number, cid.bytes, rev, bytes)
            }
            for (const { path, cid, bytes, blobs, subject } of records) {
              size += bytes.length
              if (replaces) mergeRecord.run(number, path, cid.bytes, rev, bytes, before)
              else insertRecord.run(number, path, cid.bytes, rev, bytes)
              for (const blob of blobs) insertReference.run(number, path, blob.bytes, rev, before)
              if (subject !== undefined)
                insertBacklink.run(number, path, path.slice(0, path.indexOf('/')), subject)
            }
            // Together with what it counts: a crash can come between neither.
            count.run(nodes.length, records.length, size, number)
          })
        },

        async finish({ head, at, eventsOf }) {
          let entries: readonly LogEntry[] = []
          const done = database.transaction(() => {
            const { cid, rev, data, commitBytes } = head
            const switched = switchOver.get(
              number,
              cid.bytes,
              rev,
              data.bytes,
              commitBytes,
              before,
              did,
              base.bytes,
            ) as { status: RepoStatus | null } | undefined
            if (switched === undefined) return false
            for (const statement of moveOver) statement.run(number, before)
            keepBlobs.run(number)
            releaseBlobs.run(number, at)
            forgetUnfinished.run(number)
            forgetRemnant.run(number)
            addRemnant.run(before)
            entries = log.appendInTransaction(eventsOf(switched.status ?? undefined))
            return true
          })
          if (done) repos.forgetId(did)
          log.publish(entries)
          return done
        },

        discard: () => void discarded.add(number),
        [Symbol.dispose]() {
          underWay.delete(number)
          if (underWay.size === 0) sqlite.exec(`PRAGMA cache_size = ${cacheSize.cache_size}`)
        },
      }
    },

    async sweep(begunBefore) {
      const rows = remnants.all(begunBefore) as unknown as { id: number; mayGoOn: number }[]
      const abandoned = rows.find(
        ({ id, mayGoOn }) => !underWay.has(id) && (mayGoOn === 0 || discarded.has(id)),
      )
      if (abandoned === undefined) return false
      const { id } = abandoned
      database.stage(() => {
        // First, so that nothing goes on with what is whole no more.
        forgetUnfinished.run(id)
        // One table at a time, the last of which takes the number with it.
        const found = sweeps.some((statement) => Number(statement.run(id).changes) > 0)
        if (!found) forgetRemnant.run(id)
      })
      discarded.delete(id)
      return true
    },
  }
}

interface UnfinishedRow extends Staged {
  id: number
  file_head: Uint8Array
  base: Uint8Array
  rev: Tid
}

const NOTHING: Staged = { nodes: 0, records: 0, bytes: 0 }

/** Tables other than the staged ones in which `repo` is the number of a repository, those of later versions included. */
function tablesOfRepos({ sqlite }: Database): string[] {
  const rows = sqlite
    .prepare(
      `SELECT name FROM sqlite_schema AS t WHERE type = 'table'
        AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = 'repo')`,
    )
    .all() as unknown as { name: string }[]
  return rows.map(({ name }) => name).filter((name) => !STAGED.some((staged) => staged === name))
}
