import { concatBytes } from '@imago/data'
import { createTreeAppender, type TreeAppender, withTiles } from '@imago/tlog'
import type { ClientBase, Pool } from 'pg'
import type { GrowTree, StoredCheckpoint } from '../transparency/tree-growth.ts'
import type { PlcTree } from './plc-store.ts'
import type { SequencedEntry } from './sequenced-entry.ts'

/** The transparency log in the directory's own database. */
export interface PostgresPlcTree extends PlcTree {
  /** Adds entries, inside the transaction of `client`. */
  append(client: ClientBase, entries: readonly SequencedEntry[]): Promise<void>
  /** The least number that an operation can have that is not in the log yet. */
  nextSeq(client: ClientBase): Promise<number>
  /** Forgets what is remembered: after a transaction that failed, and on another connection. */
  reset(): void
}

type Queryable = Pick<ClientBase | Pool, 'query'>

/** @param entriesOf makes the entries of stored operations again: up to `count`, from a number on. */
export function createPostgresPlcTree(
  pool: Pool,
  grow: GrowTree,
  entriesOf: (firstSeq: number, count: number) => Promise<readonly SequencedEntry[]>,
): PostgresPlcTree {
  let appender: TreeAppender | undefined

  async function hashesOf(from: Queryable, level: number, first: number, count: number): Promise<Uint8Array> {
    const { rows } = await from.query<{ hash: Buffer }>(
      'SELECT hash FROM tree_hash WHERE level = $1 AND place >= $2 AND place < $3 ORDER BY place',
      [level, first, first + count],
    )
    return concatBytes(rows.map(({ hash }) => hash))
  }

  async function load(client: ClientBase): Promise<TreeAppender> {
    const { rows } = await client.query<{ size: number }>(
      'SELECT coalesce(max(place) + 1, 0) AS size FROM tree_hash WHERE level = 0',
    )
    const { size } = rows[0]!
    return await withTiles(
      size,
      ({ level, index, width }) => hashesOf(client, level, index * 256, width),
      (source) => createTreeAppender(size, source),
    )
  }

  async function seqAt(from: Queryable, place: number): Promise<number> {
    const { rows } = await from.query<{ seq: number }>('SELECT seq FROM tree_entry WHERE place = $1', [place])
    return rows[0]?.seq ?? place + 1
  }

  return {
    async append(client, entries) {
      if (entries.length === 0) return
      appender ??= await load(client)
      const first = appender.size
      const displaced = entries
        .map(({ seq }, i) => ({ seq, place: first + i }))
        .filter(({ seq, place }) => seq !== place + 1)
      if (displaced.length > 0)
        await client.query(
          'INSERT INTO tree_entry (place, seq) SELECT * FROM unnest($1::bigint[], $2::bigint[])',
          [displaced.map(({ place }) => place), displaced.map(({ seq }) => seq)],
        )
      const { hashes, checkpoint } = grow(
        appender,
        entries.map(({ entry }) => entry),
      )
      await client.query(
        'INSERT INTO tree_hash (level, place, hash) SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])',
        [
          hashes.map(({ level }) => level),
          hashes.map(({ index }) => index),
          hashes.map(({ hash }) => Buffer.from(hash)),
        ],
      )
      await client.query(
        'INSERT INTO checkpoint (id, size, note) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET size = $1, note = $2',
        [checkpoint.size, checkpoint.note],
      )
    },
    async nextSeq(client) {
      appender ??= await load(client)
      return (await seqAt(client, appender.size - 1)) + 1
    },
    reset() {
      appender = undefined
    },
    async checkpoint() {
      const { rows } = await pool.query<StoredCheckpoint>('SELECT size, note FROM checkpoint')
      return rows[0]
    },
    hashes: (level, first, count) => hashesOf(pool, level, first, count),
    async entries(first, count) {
      const { rows } = await pool.query<{ size: number }>('SELECT size FROM checkpoint')
      const size = rows[0]?.size ?? 0
      if (first >= size) return []
      const found = await entriesOf(await seqAt(pool, first), Math.min(count, size - first))
      return found.map(({ entry }) => entry)
    },
    async indexOf(seq) {
      const { rows } = await pool.query<{ place: number }>('SELECT place FROM tree_entry WHERE seq = $1', [
        seq,
      ])
      return rows[0]?.place ?? seq - 1
    },
  }
}
