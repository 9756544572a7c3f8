import type { Did, Tid } from '@imago/syntax'
import type { Snapshot } from '../database/database.ts'

/** A row of `repo`, as it lies there. */
export interface RepoRow {
  readonly id: number
  readonly did: Did
  readonly head: Uint8Array
  readonly rev: Tid
  readonly data: Uint8Array
  readonly commit_bytes: Uint8Array
  readonly signing_key: Uint8Array
  readonly status: 'deactivated' | 'takendown' | 'suspended' | null
}

export interface RecordRow {
  readonly path: string
  readonly cid: Uint8Array
  readonly rev: Tid
  readonly bytes: Uint8Array
}

export interface ReferenceRow {
  readonly path: string
  readonly cid: Uint8Array
}

export interface BacklinkRow {
  readonly path: string
  readonly collection: string
  readonly subject: string
}

export interface EventRow {
  readonly seq: number
  readonly key: string
  readonly payload: Uint8Array
}

/** Whatever has prepared statements: a snapshot, or a connection that writes. */
export type Statements = Pick<Snapshot, 'prepare'>

const all = <Row>(rows: Iterable<unknown>) => rows as Iterable<Row>

export const repoOf = (sql: Statements, did: Did) =>
  sql.prepare('SELECT * FROM repo WHERE did = ?').get(did) as RepoRow | undefined

/** In the order of paths. */
export const recordsOf = (sql: Statements, repo: number) =>
  all<RecordRow>(
    sql.prepare('SELECT path, cid, rev, bytes FROM record WHERE repo = ? ORDER BY path').iterate(repo),
  )

/** In the order of paths. */
export const blobReferencesOf = (sql: Statements, repo: number) =>
  all<ReferenceRow>(
    sql.prepare('SELECT path, cid FROM record_blob WHERE repo = ? ORDER BY path, cid').iterate(repo),
  )

/** In the order of paths. */
export const backlinksOf = (sql: Statements, repo: number) =>
  all<BacklinkRow>(
    sql.prepare('SELECT path, collection, subject FROM backlink WHERE repo = ? ORDER BY path').iterate(repo),
  )

/** In the order of their numbers. */
export const eventsOf = (sql: Statements, did: string) =>
  all<EventRow>(sql.prepare('SELECT seq, key, payload FROM event WHERE key = ? ORDER BY seq').iterate(did))
