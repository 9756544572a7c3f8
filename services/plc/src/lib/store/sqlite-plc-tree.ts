import type { DatabaseSync } from 'node:sqlite'
import { createTileHashSource, createTreeAppender, HASH_BYTES, type TreeAppender } from '@imago/tlog'
import type { PlcLogEntry } from '../transparency/log-entry.ts'
import type { GrowTree, StoredCheckpoint } from '../transparency/tree-growth.ts'
import type { PlcTree } from './plc-store.ts'

/** The transparency log in the directory's own file. */
export interface SqlitePlcTree extends PlcTree {
  /** Entries so far, as committed or about to be. */
  readonly size: number
  /** Adds entries, inside the open transaction. */
  appendInTransaction(entries: readonly PlcLogEntry[]): void
  /** Forgets what a transaction added that failed. */
  reset(): void
}

export function openSqlitePlcTree(db: DatabaseSync, grow: GrowTree): SqlitePlcTree {
  const insert = db.prepare('INSERT INTO tree_hash (level, place, hash) VALUES (?, ?, ?)')
  const select = db.prepare(
    'SELECT hash FROM tree_hash WHERE level = ? AND place >= ? AND place < ? ORDER BY place',
  )
  const sizeOfTree = db.prepare('SELECT max(place) + 1 AS size FROM tree_hash WHERE level = 0')
  const selectCheckpoint = db.prepare('SELECT size, note FROM checkpoint')
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
      const growth = grow(appender, entries)
      for (const { level, index, hash } of growth.hashes) insert.run(level, index, hash)
      putCheckpoint.run(growth.checkpoint.size, growth.checkpoint.note)
    },
    reset() {
      appender = load()
    },
    checkpoint: async () => selectCheckpoint.get() as unknown as StoredCheckpoint | undefined,
    hashes: async (level, first, count) => hashes(level, first, count),
  }
}
