import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LogError } from './errors.ts'
import {
  DEFAULT_READ_BYTES,
  DEFAULT_READ_ENTRIES,
  type EventLog,
  type LogEntry,
  type NewEntry,
  type NextSeq,
} from './event-log.ts'
import { createGroupCommit } from './group-commit.ts'
import { createListeners } from './listeners.ts'
import { countUp, numberEntries } from './numbering.ts'

export interface SqliteLogOptions {
  /** Name of the table; `<table>_state` holds the head. Letters, digits and `_`. Both are made if absent. */
  readonly table: string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Default: the next whole number. */
  readonly nextSeq?: NextSeq
  /** Numbers up to this one are never given: a new log starts after it, an old one jumps over it. Default 0. */
  readonly startAfter?: number
}

/** A log that commits in the same transaction as the state it announces. */
export interface SqliteLog extends EventLog {
  /**
   * Writes the entries as part of the transaction that the owner has open on the same connection: they become durable
   * with its COMMIT, and after a ROLLBACK they never were. Follow the COMMIT with {@link publish}.
   * @throws {LogError} `Transaction` when none is open.
   */
  appendInTransaction(entries: readonly NewEntry[]): readonly LogEntry[]
  /**
   * Announces what was committed since the last announcement. Call it right after each COMMIT, with the entries in the
   * order they were appended. The table has the last word: what was rolled back is not announced, and a batch that its
   * owner forgot is announced along with the next one.
   * @throws {LogError} `Transaction` while one is open.
   */
  publish(entries: readonly LogEntry[]): void
  /**
   * Removes all that was ever logged under a key, inside the owner's transaction if one is open. Numbers are not given
   * again. Returns how many went. A fan-out still holds recent entries: tell it, too (`fanOut.forget`).
   */
  removeKey(key: string): number
}

const PRUNE_CHUNK = 500

/**
 * Opens the log that lies in table `table` of `db`, making it if there is none. The log does not own the connection:
 * close the log first, then the database. With `synchronous=FULL` (Node's default) an append is durable on return.
 * @throws {LogError} `InvalidEntry` for a table name that is not an identifier.
 */
export function openSqliteLog(db: DatabaseSync, options: SqliteLogOptions): SqliteLog {
  const { table, now, nextSeq = countUp, startAfter = 0 } = options
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(table))
    throw new LogError(
      'InvalidEntry',
      `table name '${table}' is not an identifier: use letters, digits and _`,
    )

  db.exec(`
    CREATE TABLE IF NOT EXISTS ${table} (
      seq INTEGER PRIMARY KEY,
      time INTEGER NOT NULL,
      key TEXT NOT NULL,
      payload BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ${table}_by_key ON ${table} (key);
    CREATE TABLE IF NOT EXISTS ${table}_state (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      head INTEGER NOT NULL,
      pruned INTEGER NOT NULL
    ) STRICT;
    INSERT OR IGNORE INTO ${table}_state (id, head, pruned) VALUES (1, ${startAfter}, ${startAfter});
    UPDATE ${table}_state SET head = ${startAfter} WHERE head < ${startAfter};
  `)
  // The head has a row of its own: rows of the log go away, and a number that was once given must not come back.
  const selectState = db.prepare(`SELECT head, pruned FROM ${table}_state`)
  const updateHead = db.prepare(`UPDATE ${table}_state SET head = ?`)
  const updatePruned = db.prepare(`UPDATE ${table}_state SET pruned = ?`)
  const insert = db.prepare(`INSERT INTO ${table} (seq, time, key, payload) VALUES (?, ?, ?, ?)`)
  const selectRange = db.prepare(
    `SELECT seq, key, payload FROM ${table} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ? + 0`,
  )
  const countRange = db.prepare(`SELECT count(*) AS n FROM ${table} WHERE seq > ? AND seq <= ?`)
  const selectOldest = db.prepare(`SELECT seq, time FROM ${table} ORDER BY seq LIMIT ${PRUNE_CHUNK}`)
  const deleteThrough = db.prepare(`DELETE FROM ${table} WHERE seq <= ?`)
  const deleteKey = db.prepare(`DELETE FROM ${table} WHERE key = ?`)

  interface State {
    head: number
    pruned: number
  }
  const state = (): State => selectState.get() as unknown as State

  const listeners = createListeners()
  let { head, pruned } = state()
  let closed = false

  function assertOpen(): void {
    if (closed) throw new LogError('Closed', `the log in table '${table}' is closed`)
  }

  function transaction<Result>(body: () => Result): Result {
    if (db.isTransaction)
      throw new LogError(
        'Transaction',
        `the log in table '${table}' found a transaction open: use appendInTransaction inside of one, and never await there`,
      )
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = body()
      db.exec('COMMIT')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  function number(entries: readonly NewEntry[]): LogEntry[] {
    // The head comes from the table, not from memory: after a rollback it is what it was.
    return numberEntries(entries, state().head, nextSeq)
  }

  function store(entries: readonly LogEntry[]): void {
    if (entries.length === 0) return
    const time = now()
    for (const { seq, key, payload } of entries) insert.run(seq, time, key, payload)
    updateHead.run(entries.at(-1)!.seq)
  }

  function readRange(after: number, upTo: number, maxEntries: number, maxBytes: number): LogEntry[] {
    const found: LogEntry[] = []
    let bytes = 0
    for (const row of selectRange.iterate(after, upTo, maxEntries)) {
      const entry = row as unknown as LogEntry
      found.push({ seq: entry.seq, key: entry.key, payload: entry.payload })
      bytes += entry.payload.length
      if (bytes >= maxBytes) break
    }
    return found
  }

  function publish(entries: readonly LogEntry[]): void {
    if (db.isTransaction)
      throw new LogError('Transaction', `the log in table '${table}' cannot publish before the COMMIT`)
    const before = head
    head = state().head
    if (head === before) return
    const { n } = countRange.get(before, head) as unknown as { n: number }
    const asGiven =
      n === entries.length && (n === 0 || (entries[0]!.seq > before && entries.at(-1)!.seq <= head))
    const committed = asGiven
      ? entries
      : readRange(before, head, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    if (committed.length > 0) listeners.announce(committed)
  }

  function pruneChunk(beforeMs: number): number {
    const rows = selectOldest.all() as unknown as { seq: number; time: number }[]
    const kept = rows.findIndex(({ time }) => time >= beforeMs)
    const old = kept === -1 ? rows : rows.slice(0, kept)
    if (old.length === 0) return 0
    const through = old.at(-1)!.seq
    transaction(() => {
      deleteThrough.run(through)
      updatePruned.run(through)
    })
    pruned = through
    return old.length
  }

  type Appended = { readonly entries: readonly LogEntry[] } | { readonly error: unknown }

  function appendOne(entries: readonly NewEntry[]): Appended {
    let numbered: LogEntry[]
    try {
      numbered = number(entries)
    } catch (error) {
      // An entry that cannot be encoded costs its own caller the append, and the others of the batch nothing.
      return { error }
    }
    store(numbered)
    return { entries: numbered }
  }

  const appends = createGroupCommit<readonly NewEntry[], Appended>({
    flush: (batch) => {
      const appended = transaction(() => batch.map(appendOne))
      publish(appended.flatMap((one) => ('entries' in one ? one.entries : [])))
      return appended
    },
  })

  return {
    get head() {
      return head
    },
    get oldest() {
      return pruned + 1
    },
    append: async (entries) => {
      assertOpen()
      if (entries.length === 0) return []
      const appended = await appends.submit(entries)
      if ('error' in appended) throw appended.error
      return appended.entries
    },
    appendInTransaction: (entries) => {
      assertOpen()
      if (!db.isTransaction)
        throw new LogError(
          'Transaction',
          `appendInTransaction on table '${table}' needs an open transaction: BEGIN first`,
        )
      const numbered = number(entries)
      store(numbered)
      return numbered
    },
    publish,
    read: async (after, { entries = DEFAULT_READ_ENTRIES, bytes = DEFAULT_READ_BYTES } = {}) => {
      assertOpen()
      return readRange(after, head, entries, bytes)
    },
    subscribe: listeners.subscribe,
    prune: async (beforeMs) => {
      let removed = 0
      for (;;) {
        assertOpen()
        const chunk = pruneChunk(beforeMs)
        removed += chunk
        if (chunk < PRUNE_CHUNK) return removed
        await nextTurn()
      }
    },
    removeKey: (key) => {
      assertOpen()
      return Number(deleteKey.run(key).changes)
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      await appends.idle()
    },
  }
}
