import { Cid, decode, findBlobRefs } from '@imago/data'
import { createGroupCommit } from '@imago/log'
import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { SqliteRepoStore } from '../repos/repo-store-sqlite.ts'
import type { AddOutcome, BlobIndex, BlobName, BlobQuota, BlobRow, BlobUsage } from './blob-index.ts'

interface Row {
  mime_type: string
  size: number
  temporary: number
  takedown_ref: string | null
}

interface NewBlob {
  readonly did: Did
  readonly blob: { cid: Cid; mimeType: string; size: number; createdAt: number }
  readonly quota: BlobQuota
}

type Attempt = { readonly outcome: AddOutcome } | { readonly error: unknown }

const NO_BYTES = new Uint8Array(0)
const NOTHING: BlobUsage = { count: 0, bytes: 0 }

/** Blobs in the service's own file, so that a commit makes them permanent in its own transaction. */
export function createSqliteBlobIndex(
  database: Database,
  repos: Pick<SqliteRepoStore, 'idOf'>,
): BlobIndex & AsyncDisposable {
  const { sqlite } = database
  const select = sqlite.prepare(
    'SELECT mime_type, size, temporary, takedown_ref FROM blob WHERE repo = ? AND cid = ?',
  )
  const insert = sqlite.prepare(
    'INSERT INTO blob (repo, cid, mime_type, size, created_at, temporary) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const renew = sqlite.prepare(
    'UPDATE blob SET created_at = ? WHERE repo = ? AND cid = ? AND temporary = 1 AND takedown_ref IS NULL',
  )
  const selectUsage = sqlite.prepare('SELECT count, bytes FROM blob_usage WHERE repo = ?')
  const selectReferring = sqlite.prepare(
    `SELECT record.bytes FROM record_blob INDEXED BY record_blob_by_cid
      JOIN record ON record.repo = record_blob.repo AND record.path = record_blob.path
      WHERE record_blob.repo = ? AND record_blob.cid = ? LIMIT 1`,
  )
  const selectServed = sqlite.prepare(
    `SELECT DISTINCT record_blob.cid FROM record_blob INDEXED BY record_blob_by_cid
      JOIN blob ON blob.repo = record_blob.repo AND blob.cid = record_blob.cid AND blob.takedown_ref IS NULL
      WHERE record_blob.repo = ? AND record_blob.cid > ? AND record_blob.rev > ?
      ORDER BY record_blob.cid LIMIT ? + 0`,
  )
  const selectMissing = sqlite.prepare(
    `SELECT cid, min(path) AS path FROM record_blob INDEXED BY record_blob_by_cid
      WHERE repo = ?1 AND cid > ?2
        AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.repo = ?1 AND blob.cid = record_blob.cid)
      GROUP BY cid ORDER BY cid LIMIT ?3 + 0`,
  )
  const updateTakedown = sqlite.prepare('UPDATE blob SET takedown_ref = ? WHERE repo = ? AND cid = ?')
  const deleteExpired = sqlite.prepare(
    `DELETE FROM blob WHERE (repo, cid) IN (SELECT repo, cid FROM blob INDEXED BY blob_by_age
      WHERE temporary = 1 AND created_at >= ? AND created_at < ? AND takedown_ref IS NULL LIMIT ? + 0)`,
  )
  const selectTrash = sqlite.prepare('SELECT did, cid FROM blob_trash LIMIT ? + 0')
  const selectTrashOf = sqlite.prepare('SELECT did, cid FROM blob_trash WHERE did = ? LIMIT ? + 0')
  const deleteTrash = sqlite.prepare('DELETE FROM blob_trash WHERE did = ? AND cid = ?')

  function get(repo: number, cid: Cid): BlobRow | undefined {
    const row = select.get(repo, cid.bytes) as Row | undefined
    if (row === undefined) return undefined
    const { mime_type: mimeType, size, temporary, takedown_ref: takedownRef } = row
    return { cid, mimeType, size, temporary: temporary === 1, takedownRef: takedownRef ?? undefined }
  }

  const usageOf = (repo: number) => (selectUsage.get(repo) as BlobUsage | undefined) ?? NOTHING

  /** What a record says of a blob that is not here: another server may have told its type from the bytes otherwise. */
  function typeInRecord(repo: number, cid: Cid): string | undefined {
    const found = selectReferring.get(repo, cid.bytes) as { bytes: Uint8Array } | undefined
    if (found === undefined) return undefined
    return findBlobRefs(decode(found.bytes)).find(({ ref }) => ref.equals(cid))?.mimeType
  }

  /** Inside of the open transaction. */
  function add({ did, blob, quota }: NewBlob): AddOutcome {
    const repo = repos.idOf(did)
    if (repo === undefined) return { ok: false, reason: 'AccountAbsent' }
    const { cid, size, createdAt } = blob
    const known = get(repo, cid)
    if (known?.takedownRef !== undefined) return { ok: false, reason: 'TakenDown' }
    if (known !== undefined) {
      renew.run(createdAt, repo, cid.bytes)
      return { ok: true, row: known }
    }
    const usage = usageOf(repo)
    if (usage.count + 1 > quota.maxCount || usage.bytes + size > quota.maxBytes)
      return { ok: false, reason: 'QuotaExceeded', usage }
    const wanted = typeInRecord(repo, cid)
    const mimeType = wanted ?? blob.mimeType
    const temporary = wanted === undefined
    insert.run(repo, cid.bytes, mimeType, size, createdAt, temporary ? 1 : 0)
    return { ok: true, row: { cid, mimeType, size, temporary, takedownRef: undefined } }
  }

  // Uploads wait for the disk together.
  const additions = createGroupCommit<NewBlob, Attempt>({
    flush(batch) {
      const together = () => batch.map((blob): Attempt => ({ outcome: add(blob) }))
      if (batch.length === 1) return database.transaction(together)
      try {
        return database.transaction(together)
      } catch {
        // One of them cannot be written: alone, each fails for itself.
        return batch.map((blob): Attempt => {
          try {
            return { outcome: database.transaction(() => add(blob)) }
          } catch (error) {
            return { error }
          }
        })
      }
    },
  })

  return {
    async add(did, blob, quota) {
      const attempt = await additions.submit({ did, blob, quota })
      if ('error' in attempt) throw attempt.error
      return attempt.outcome
    },

    async get(did, cid) {
      const repo = repos.idOf(did)
      return repo === undefined ? undefined : get(repo, cid)
    },

    async isStray({ did, cid }) {
      const repo = repos.idOf(did)
      return repo !== undefined && get(repo, cid) === undefined
    },

    async usage(did) {
      const repo = repos.idOf(did)
      return repo === undefined ? NOTHING : { ...usageOf(repo) }
    },

    async list(did, { since = '', after, limit }) {
      const repo = repos.idOf(did)
      if (repo === undefined) return []
      const rows = selectServed.all(repo, after?.bytes ?? NO_BYTES, since, limit)
      return (rows as unknown as { cid: Uint8Array }[]).map(({ cid }) => new Cid(cid))
    },

    async listMissing(did, { after, limit }) {
      const repo = repos.idOf(did)
      if (repo === undefined) return []
      const rows = selectMissing.all(repo, after?.bytes ?? NO_BYTES, limit)
      return (rows as unknown as { cid: Uint8Array; path: string }[]).map(({ cid, path }) => ({
        cid: new Cid(cid),
        path,
      }))
    },

    async setTakedown(did, cid, ref) {
      const repo = repos.idOf(did)
      if (repo === undefined) return false
      return database.transaction(() => updateTakedown.run(ref ?? null, repo, cid.bytes).changes > 0)
    },

    async removeExpired({ from, before }, limit) {
      return database.transaction(() => Number(deleteExpired.run(from, before, limit).changes))
    },

    async listTrash(limit, did) {
      return namesOf(did === undefined ? selectTrash.all(limit) : selectTrashOf.all(did, limit))
    },

    async removeTrash({ did, cid }) {
      // If a power cut undoes it, the bytes are looked for once more, and not found.
      database.stage(() => deleteTrash.run(did, cid.bytes))
    },

    [Symbol.asyncDispose]: () => additions.idle(),
  }
}

function namesOf(rows: unknown[]): BlobName[] {
  return (rows as { did: Did; cid: Uint8Array }[]).map(({ did, cid }) => ({ did, cid: new Cid(cid) }))
}
