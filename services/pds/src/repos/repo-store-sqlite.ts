import { importKeypair } from '@imago/crypto'
import { type Block, type BlockSource, Cid } from '@imago/data'
import type { LogEntry, NewEntry } from '@imago/log'
import type { SqliteLog } from '@imago/log/sqlite'
import { type Did, type Tid, tidMicros } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import { type PackedRow, packed, unpack } from '../database/packed-rows.ts'
import { createNodeChanges, type NodeChanges } from './node-changes.ts'
import { COMMIT_BYTES, createRepoSnapshot, NODE, RECORD_BY_CID } from './repo-snapshot-sqlite.ts'
import type {
  CommitOutcome,
  NewRepo,
  RecordChange,
  RepoChange,
  RepoHead,
  RepoStatus,
  RepoStore,
  StoredRecord,
} from './repo-store.ts'

/** What other adapters on the same file do to repositories inside their own transactions. */
export interface SqliteRepoStore extends RepoStore {
  insertInTransaction(repo: NewRepo): void
  setStatusInTransaction(did: Did, status: RepoStatus | undefined): void
  /**
   * Records and tree are out of reach at once, and go in small pieces with what imports leave behind: as many as there
   * may be, everybody would have to wait for them.
   */
  removeInTransaction(did: Did): void
  /** The integer that stands for a DID in the tables. */
  idOf(did: Did): number | undefined
  /** After the number that stands for it has changed, and with it all that the repository holds. */
  forgetId(did: Did): void
  /**
   * Calls `listener` when a repository is not what its last commit left any more: replaced as a whole, or removed. Whoever
   * remembers something of it has to forget it. There is one listener.
   */
  onReplaced(listener: (did: Did) => void): void
}

interface HeadRow {
  id: number
  did: Did
  head: Uint8Array
  rev: Tid
  data: Uint8Array
  status: RepoStatus | null
}

interface RecordRow {
  path: string
  cid: Uint8Array
  bytes: Uint8Array
}

interface RecordPageRow extends PackedRow {
  paths: string | null
  cids: Uint8Array | null
}

const CID_BYTES = 36
const NO_CIDS = new Uint8Array(0)

/** A number that stands for no repository, nor for what imports and adoptions under way have written so far. */
export const UNUSED_ID = `(SELECT 1 + max(ifnull((SELECT max(id) FROM repo), 0),
  ifnull((SELECT max(id) FROM repo_remnant), 0), ifnull((SELECT max(repo) FROM adoption), 0)))`

/** Not taken down. */
const IS_SHOWN = `NOT EXISTS (
  SELECT 1 FROM record_takedown AS t WHERE t.repo = record.repo AND t.path = record.path)`

const HEAD = 'SELECT id, did, head, rev, data, status FROM repo'

/** Repositories in the service's own file; events go into `log`, which lies in the same file. */
export function createSqliteRepoStore(database: Database, log: SqliteLog): SqliteRepoStore {
  const { sqlite } = database
  const selectHead = sqlite.prepare(`${HEAD} WHERE did = ?`)
  const selectKey = sqlite.prepare('SELECT signing_key FROM repo WHERE id = ?')
  const selectId = sqlite.prepare('SELECT id FROM repo WHERE did = ?')
  const selectPage = sqlite.prepare(`${HEAD} WHERE id > ? ORDER BY id LIMIT ? + 0`)
  const insertRepo = sqlite.prepare(
    `INSERT INTO repo (id, did, head, rev, data, commit_bytes, signing_key, status)
      VALUES (${UNUSED_ID}, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const moveHead = sqlite.prepare(
    `UPDATE repo SET head = ?, rev = ?, data = ?, commit_bytes = ? WHERE id = ? AND head = ? AND status IS NULL`,
  )
  const updateStatus = sqlite.prepare('UPDATE repo SET status = ? WHERE did = ?')
  const insertNode = sqlite.prepare('INSERT OR REPLACE INTO node (repo, cid, rev, bytes) VALUES (?, ?, ?, ?)')
  const deleteNode = sqlite.prepare('DELETE FROM node WHERE repo = ? AND cid = ?')
  const selectNode = sqlite.prepare(NODE)
  const selectCommit = sqlite.prepare(COMMIT_BYTES)
  const putRecord = sqlite.prepare(
    'INSERT OR REPLACE INTO record (repo, path, cid, rev, bytes) VALUES (?, ?, ?, ?, ?)',
  )
  const deleteRecord = sqlite.prepare('DELETE FROM record WHERE repo = ? AND path = ?')
  const selectRecord = sqlite.prepare(
    `SELECT path, cid, bytes FROM record WHERE repo = ? AND path = ? AND ${IS_SHOWN}`,
  )
  const selectRecordByCid = sqlite.prepare(RECORD_BY_CID)
  const [ascending, descending] = ['ASC', 'DESC'].map((order) => sqlite.prepare(recordPage(order)))
  const nextPath = sqlite.prepare(
    'SELECT path FROM record WHERE repo = ? AND path >= ? ORDER BY path LIMIT 1',
  )
  const selectBlob = sqlite.prepare('SELECT 1 FROM blob WHERE repo = ? AND cid = ? AND takedown_ref IS NULL')
  const keepBlob = sqlite.prepare('UPDATE blob SET temporary = 0 WHERE repo = ? AND cid = ?')
  const releaseBlob = sqlite.prepare(
    `UPDATE blob SET temporary = 1, created_at = ?3 WHERE repo = ?1 AND cid = ?2
      AND NOT EXISTS (SELECT 1 FROM record_blob INDEXED BY record_blob_by_cid WHERE repo = ?1 AND cid = ?2)`,
  )
  const insertReference = sqlite.prepare(
    'INSERT OR REPLACE INTO record_blob (repo, path, cid, rev) VALUES (?, ?, ?, ?)',
  )
  const deleteReferences = sqlite.prepare('DELETE FROM record_blob WHERE repo = ? AND path = ? RETURNING cid')
  const insertBacklink = sqlite.prepare(
    'INSERT INTO backlink (repo, path, collection, subject) VALUES (?, ?, ?, ?)',
  )
  const deleteBacklink = sqlite.prepare('DELETE FROM backlink WHERE repo = ? AND path = ?')
  const selectPathsAbout = sqlite.prepare(
    `SELECT path FROM backlink INDEXED BY backlink_by_subject
      WHERE repo = ? AND collection = ? AND subject = ? ORDER BY path`,
  )
  const deleteSmall = ['blob', 'record_takedown'].map((table) =>
    sqlite.prepare(`DELETE FROM ${table} WHERE repo = ?`),
  )
  const leaveRemnant = sqlite.prepare('INSERT INTO repo_remnant (id) VALUES (?)')
  const deleteRepo = sqlite.prepare('DELETE FROM repo WHERE id = ?')

  // A DID keeps its number for as long as the repository exists and is not replaced.
  const ids = new Map<Did, number>()
  let onReplaced: (did: Did) => void = () => {}
  function forgetId(did: Did): void {
    ids.delete(did)
    onReplaced(did)
  }
  function idOf(did: Did): number | undefined {
    const known = ids.get(did)
    if (known !== undefined) return known
    const row = selectId.get(did) as { id: number } | undefined
    if (row === undefined) return undefined
    if (ids.size >= MAX_KNOWN_IDS) ids.clear()
    ids.set(did, row.id)
    return row.id
  }

  /** Applies one change inside the open transaction, all but its nodes. Touches nothing unless the outcome is ok. */
  function apply(change: RepoChange, nodes: NodeChanges): CommitOutcome {
    const repo = idOf(change.did)
    if (repo === undefined) return { ok: false, reason: 'NotActive', status: 'absent' }
    for (const record of change.records)
      if (record.cid !== null)
        for (const blob of record.blobs)
          if (selectBlob.get(repo, blob.bytes) === undefined)
            return { ok: false, reason: 'BlobNotFound', blob }

    const { head } = change
    const moved = moveHead.run(
      head.cid.bytes,
      head.rev,
      head.data.bytes,
      head.commitBytes,
      repo,
      change.expectedHead.bytes,
    )
    if (moved.changes === 0) {
      const row = selectHead.get(change.did) as HeadRow | undefined
      return row?.status
        ? { ok: false, reason: 'NotActive', status: row.status }
        : { ok: false, reason: 'HeadMoved' }
    }
    nodes.add(repo, change)
    for (const record of change.records) applyRecord(repo, head.rev, record)
    return { ok: true }
  }

  function applyRecord(repo: number, rev: Tid, record: RecordChange): void {
    const released = record.cid === null || record.replaces ? dropReferences(repo, record.path) : []
    if (record.cid === null) deleteRecord.run(repo, record.path)
    else {
      putRecord.run(repo, record.path, record.cid.bytes, rev, record.bytes)
      for (const blob of record.blobs) {
        insertReference.run(repo, record.path, blob.bytes, rev)
        keepBlob.run(repo, blob.bytes)
      }
      if (record.subject !== undefined)
        insertBacklink.run(repo, record.path, collectionOf(record.path), record.subject)
    }
    // A blob that nothing refers to any more is temporary again, as if it had been uploaded with this commit.
    for (const { cid } of released) releaseBlob.run(repo, cid, Math.floor(tidMicros(rev) / 1000))
  }

  /** Forgets what the record at a path refers to. Returns the blobs among it. */
  function dropReferences(repo: number, path: string): { cid: Uint8Array }[] {
    deleteBacklink.run(repo, path)
    return deleteReferences.all(repo, path) as unknown as { cid: Uint8Array }[]
  }

  /** One transaction for all of them. Throws when the store itself fails. */
  function commitTogether(changes: readonly RepoChange[]): CommitOutcome[] {
    let entries: readonly LogEntry[] = []
    const outcomes = database.transaction(() => {
      const results: CommitOutcome[] = []
      const events: NewEntry[] = []
      const nodes = createNodeChanges()
      for (const change of changes) {
        const outcome = apply(change, nodes)
        results.push(outcome)
        if (outcome.ok) events.push(...change.events)
      }
      for (const { repo, rev, added, removed } of nodes.net()) {
        for (const cid of removed) deleteNode.run(repo, cid.bytes)
        for (const { cid, bytes } of added) insertNode.run(repo, cid.bytes, rev, bytes)
      }
      entries = log.appendInTransaction(events)
      return results
    })
    log.publish(entries)
    return outcomes
  }

  return {
    idOf,
    forgetId,
    onReplaced(listener) {
      onReplaced = listener
    },

    async commit(changes) {
      if (changes.length === 0) return []
      try {
        return commitTogether(changes)
      } catch (error) {
        if (changes.length === 1) return [{ ok: false, reason: 'Failed', error }]
        // One of them cannot be written: nothing of the batch was. Alone, each fails for itself only.
        return changes.map((change) => {
          try {
            return commitTogether([change])[0]!
          } catch (own) {
            return { ok: false, reason: 'Failed', error: own }
          }
        })
      }
    },

    async head(did) {
      const row = selectHead.get(did) as HeadRow | undefined
      return row && headOf(row)
    },

    async open(did) {
      const row = selectHead.get(did) as HeadRow | undefined
      if (row === undefined) return undefined
      const { signing_key: secret } = selectKey.get(row.id) as { signing_key: Uint8Array }
      const nodes: BlockSource = {
        get: (cid) => (selectNode.get(row.id, cid.bytes) as { bytes: Uint8Array } | undefined)?.bytes,
      }
      return { ...headOf(row), keypair: importKeypair('k256', secret), nodes }
    },

    async list({ after, limit }) {
      const rows = selectPage.all(after, limit) as unknown as HeadRow[]
      return rows.map((row) => ({ ...headOf(row), position: row.id }))
    },

    async getRecord(did, path) {
      const repo = idOf(did)
      const row = repo === undefined ? undefined : (selectRecord.get(repo, path) as RecordRow | undefined)
      return row && recordOf(row)
    },

    async listRecords(did, { collection, limit, descending: backwards, cursor }) {
      const repo = idOf(did)
      if (repo === undefined) return []
      const [first, end] = rangeOf(collection)
      const from = cursor === undefined ? undefined : `${collection}/${cursor}`
      const page = backwards
        ? descending!.get(repo, first, from ?? end, limit)
        : ascending!.get(repo, from ?? first, end, limit)
      return recordsOf(page as unknown as RecordPageRow)
    },

    async collections(did) {
      const repo = idOf(did)
      if (repo === undefined) return []
      // Jumps from one collection to the next instead of reading every record.
      const found: string[] = []
      for (let from = ''; ; ) {
        const row = nextPath.get(repo, from) as { path: string } | undefined
        if (row === undefined) return found.sort()
        const collection = collectionOf(row.path)
        found.push(collection)
        from = rangeOf(collection)[1]
      }
    },

    async pathsAbout(did, collection, subject) {
      const repo = idOf(did)
      if (repo === undefined) return []
      return (selectPathsAbout.all(repo, collection, subject) as { path: string }[]).map(({ path }) => path)
    },

    async getBlocks(did, cids) {
      const repo = idOf(did)
      if (repo === undefined) return []
      const found: Block[] = []
      for (const cid of cids) {
        const row = (selectRecordByCid.get(repo, cid.bytes) ??
          selectNode.get(repo, cid.bytes) ??
          selectCommit.get(repo, cid.bytes)) as { bytes: Uint8Array } | undefined
        if (row) found.push({ cid, bytes: row.bytes })
      }
      return found
    },

    async snapshot(did) {
      const snapshot = database.openSnapshot()
      const row = snapshot.prepare(`${HEAD} WHERE did = ?`).get(did) as HeadRow | undefined
      if (row !== undefined) return createRepoSnapshot(snapshot, row.id, headOf(row))
      snapshot[Symbol.dispose]()
      return undefined
    },

    insertInTransaction({ did, signingKey, head, nodes, status }) {
      const { lastInsertRowid } = insertRepo.run(
        did,
        head.cid.bytes,
        head.rev,
        head.data.bytes,
        head.commitBytes,
        signingKey,
        status ?? null,
      )
      for (const { cid, bytes } of nodes) insertNode.run(Number(lastInsertRowid), cid.bytes, head.rev, bytes)
    },

    setStatusInTransaction(did, status) {
      updateStatus.run(status ?? null, did)
    },

    removeInTransaction(did) {
      const repo = idOf(did)
      if (repo === undefined) return
      for (const statement of deleteSmall) statement.run(repo)
      leaveRemnant.run(repo)
      deleteRepo.run(repo)
      forgetId(did)
    },
  }
}

const MAX_KNOWN_IDS = 100_000

const collectionOf = (path: string) => path.slice(0, path.indexOf('/'))

/** Every path of a collection lies between these two: `/` is followed by `0` in ASCII. */
const rangeOf = (collection: string): [first: string, end: string] => [`${collection}/`, `${collection}0`]

function headOf(row: HeadRow): RepoHead {
  return {
    did: row.did,
    cid: new Cid(row.head),
    rev: row.rev,
    data: new Cid(row.data),
    status: row.status ?? undefined,
  }
}

/**
 * Paths hold no commas, and CIDs are all of one length. A limit that is a parameter and nothing else makes SQLite prepare
 * the statement anew each time it is bound, which takes half as long as the page.
 */
const recordPage = (
  order: string,
) => `SELECT group_concat(path) AS paths, ${packed('bytes')}, CAST(group_concat(cid, '') AS BLOB) AS cids
  FROM (SELECT path, cid, bytes FROM record WHERE repo = ? AND path > ? AND path < ? AND ${IS_SHOWN} ORDER BY path ${order} LIMIT ? + 0)`

function recordsOf(page: RecordPageRow): StoredRecord[] {
  const paths = page.paths?.split(',') ?? []
  const cids = page.cids ?? NO_CIDS
  return unpack(page).map((bytes, index) => ({
    path: paths[index]!,
    cid: new Cid(cids, index * CID_BYTES),
    bytes,
  }))
}

function recordOf(row: RecordRow): StoredRecord {
  return { path: row.path, cid: new Cid(row.cid), bytes: row.bytes }
}
