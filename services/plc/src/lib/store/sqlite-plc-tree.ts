import type { DatabaseSync } from 'node:sqlite'
import { createTileHashSource, createTreeAppender, HASH_BYTES, type TreeAppender } from '@imago/tlog'
import type { GrowTree, StoredCheckpoint } from '../transparency/tree-growth.ts'
import type { PlcTree } from './plc-store.ts'
import type { SequencedEntry } from './sequenced-entry.ts'

/** The transparency log in the directory's own file. */
export interface SqlitePlcTree extends PlcTree {
  /** Entries so far, as committed or about to be. */
  readonly size: number
  /** Adds entries, inside the open transaction. */
  appendInTransaction(entries: readonly SequencedEntry[]): void
  /** The least number that an operation can have that is not in the log yet. */
  nextSeq(): number
  /** Forgets what a transaction added that failed. */
  reset(): void
}

/** @param entriesOf makes the entries of stored operations again: up to `count`, from a number on. */
export function openSqlitePlcTree(
  db: DatabaseSync,
  grow: GrowTree,
  entriesOf: (firstSeq: number, count: number) => readonly SequencedEntry[],
): SqlitePlcTree {
  const insert = db.prepare('INSERT INTO tree_hash (level, place, hash) VALUES (?, ?, ?)')
  const select = db.prepare(
    'SELECT hash FROM tree_hash WHERE level = ? AND place >= ? AND place < ? ORDER BY place',
  )
  const sizeOfTree = db.prepare('SELECT max(place) + 1 AS size FROM tree_hash WHERE level = 0')
  const selectCheckpoint = db.prepare('SELECT size, note FROM checkpoint')
  const insertPlace = db.prepare('INSERT INTO tree_entry (place, seq) VALUES (?, ?)')
  const selectPlace = db.prepare('SELECT place FROM tree_entry WHERE seq = ?')
  const selectSeq = db.prepare('SELECT seq FROM tree_entry WHERE place = ?')
  const putCheckpoint = db.prepare('INSERT OR REPLACE INTO checkpoint (id, size, note) VALUES (1, ?, ?)')

  function hashes(level: number, first: number, count: number): Uint8Array {
    const rows = select.all(level, first, first + count) as unknown as { hash: Uint8Array }[]
    const bytes = new Uint8Array(rows.length * HASH_BYTES)
    for (const [i, { hash }] of rows.entries()) bytes.set(hash, i * HASH_BYTES)
    return bytes
  }

  function load(): TreeAppender {
    const size = (sizeOfTree.get() as { size: number | null }).size ?? 0
    const source = createTileHashSource(size, ({ level, index, width }) => hashes(level, index * 256, width))
    return createTreeAppender(size, source)
  }

  let appender = load()
  return {
    get size() {
      return appender.size
    },
    appendInTransaction(entries) {
      if (entries.length === 0) return
      for (const [i, { seq }] of entries.entries())
        if (seq !== appender.size + i + 1) insertPlace.run(appender.size + i, seq)
      const growth = grow(
        appender,
        entries.map(({ entry }) => entry),
      )
      for (const { level, index, hash } of growth.hashes) insert.run(level, index, hash)
      putCheckpoint.run(growth.checkpoint.size, growth.checkpoint.note)
    },
    nextSeq() {
      const last = appender.size - 1
      return ((selectSeq.get(last) as { seq: number } | undefined)?.seq ?? last + 1) + 1
    },
    reset() {
      appender = load()
    },
    checkpoint: async () => selectCheckpoint.get() as unknown as StoredCheckpoint | undefined,
    hashes: async (level, first, count) => hashes(level, first, count),
    async entries(first, count) {
      const row = selectSeq.get(first) as { seq: number } | undefined
      const found = entriesOf(row?.seq ?? first + 1, Math.min(count, appender.size - first))
      return found.map(({ entry }) => entry)
    },
    async indexOf(seq) {
      const row = selectPlace.get(seq) as { place: number } | undefined
      return row?.place ?? seq - 1
    },
  }
}
