import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** What was cosigned last of one log. */
export interface LastCheckpoint {
  readonly size: number
  readonly root: Uint8Array
  /** The note, with the log's signatures and ours. */
  readonly note: string
}

/** Proof that a log has signed what cannot be. */
export interface Evidence {
  readonly origin: string
  readonly message: string
  /** The request that proves it, whole. */
  readonly request: string
}

/** The memory of a witness. One process owns it. */
export interface WitnessStore extends Disposable {
  last(origin: string): LastCheckpoint | undefined
  /**
   * Puts `next` in place of the last checkpoint, if that still has `expectedSize` (0 for none). Compared, set and
   * durable in one step.
   * @returns whether it had.
   */
  advance(origin: string, expectedSize: number, next: LastCheckpoint): boolean
  /** Keeps the proof of a log's misdeed. The same is kept once. */
  keepEvidence(evidence: Evidence, atMs: number): void
  evidence(): readonly (Evidence & { readonly atMs: number })[]
}

/** @param databaseFile made with its folder if absent; `:memory:` for a witness that forgets. */
export function openWitnessStore(databaseFile: string): WitnessStore {
  if (databaseFile !== ':memory:') mkdirSync(dirname(databaseFile), { recursive: true })
  const db = new DatabaseSync(databaseFile)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
  db.exec(`
    CREATE TABLE IF NOT EXISTS last_checkpoint (
      origin TEXT PRIMARY KEY,
      size INTEGER NOT NULL,
      root BLOB NOT NULL,
      note TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS evidence (
      request TEXT PRIMARY KEY,
      origin TEXT NOT NULL,
      message TEXT NOT NULL,
      at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `)
  const select = db.prepare('SELECT size, root, note FROM last_checkpoint WHERE origin = ?')
  const insert = db.prepare(
    'INSERT INTO last_checkpoint (origin, size, root, note) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const update = db.prepare(
    'UPDATE last_checkpoint SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ?',
  )
  const insertEvidence = db.prepare(
    'INSERT OR IGNORE INTO evidence (request, origin, message, at_ms) VALUES (?, ?, ?, ?)',
  )
  const selectEvidence = db.prepare(
    'SELECT origin, message, request, at_ms AS atMs FROM evidence ORDER BY at_ms',
  )
  return {
    last: (origin) => select.get(origin) as unknown as LastCheckpoint | undefined,
    advance(origin, expectedSize, { size, root, note }) {
      // Each statement is a transaction of its own, and durable when it returns.
      if (update.run(size, root, note, origin, expectedSize).changes > 0) return true
      return expectedSize === 0 && insert.run(origin, size, root, note).changes > 0
    },
    keepEvidence({ origin, message, request }, atMs) {
      insertEvidence.run(request, origin, message, atMs)
    },
    evidence: () => selectEvidence.all() as unknown as (Evidence & { atMs: number })[],
    [Symbol.dispose]: () => db.close(),
  }
}
