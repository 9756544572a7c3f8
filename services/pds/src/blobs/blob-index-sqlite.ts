import { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { SqliteRepoStore } from '../repos/repo-store-sqlite.ts'
import type { BlobIndex, BlobRow } from './blob-index.ts'

interface Row {
  cid: Uint8Array
  mime_type: string
  size: number
  temporary: number
}

const NO_BYTES = new Uint8Array(0)

/** Blobs in the service's own file, so that a commit makes them permanent in its own transaction. */
export function createSqliteBlobIndex(database: Database, repos: Pick<SqliteRepoStore, 'idOf'>): BlobIndex {
  const { sqlite } = database
  const select = sqlite.prepare('SELECT cid, mime_type, size, temporary FROM blob WHERE repo = ? AND cid = ?')
  const insert = sqlite.prepare(
    `INSERT INTO blob (repo, cid, mime_type, size, created_at, temporary) VALUES (?, ?, ?, ?, ?, 1)
      ON CONFLICT DO UPDATE SET created_at = excluded.created_at WHERE temporary = 1`,
  )
  const selectReferenced = sqlite.prepare(
    `SELECT DISTINCT cid FROM record_blob INDEXED BY record_blob_by_cid WHERE repo = ? AND cid > ? AND rev > ? ORDER BY cid LIMIT ?`,
  )
  const selectExpired = sqlite.prepare(
    `SELECT repo.did, blob.cid FROM blob JOIN repo ON repo.id = blob.repo
      WHERE temporary = 1 AND created_at < ? LIMIT ?`,
  )
  const deleteExpired = sqlite.prepare(
    'DELETE FROM blob WHERE repo = ? AND cid = ? AND temporary = 1 AND created_at < ?',
  )

  function get(repo: number, cid: Cid): BlobRow | undefined {
    const row = select.get(repo, cid.bytes) as Row | undefined
    return row && { cid, mimeType: row.mime_type, size: row.size, temporary: row.temporary === 1 }
  }

  return {
    async add(did, { cid, mimeType, size, createdAt }) {
      const repo = repos.idOf(did)
      if (repo === undefined) return undefined
      return database.transaction(() => {
        insert.run(repo, cid.bytes, mimeType, size, createdAt)
        return get(repo, cid)
      })
    },

    async get(did, cid) {
      const repo = repos.idOf(did)
      return repo === undefined ? undefined : get(repo, cid)
    },

    async list(did, { since = '', after, limit }) {
      const repo = repos.idOf(did)
      if (repo === undefined) return []
      const rows = selectReferenced.all(repo, after?.bytes ?? NO_BYTES, since, limit) as unknown as Row[]
      return rows.map(({ cid }) => new Cid(cid))
    },

    async listExpired(before, limit) {
      const rows = selectExpired.all(before, limit) as unknown as { did: Did; cid: Uint8Array }[]
      return rows.map(({ did, cid }) => ({ did, cid: new Cid(cid) }))
    },

    async removeExpired({ did, cid }, before) {
      const repo = repos.idOf(did)
      if (repo === undefined) return false
      return database.transaction(() => deleteExpired.run(repo, cid.bytes, before).changes > 0)
    },
  }
}
