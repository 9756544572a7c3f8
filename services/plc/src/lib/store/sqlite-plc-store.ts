import { DatabaseSync } from 'node:sqlite'
import type { DidPlc } from '@imago/identity/plc'
import { createGroupCommit } from '@imago/log'
import type { GrowTree } from '../transparency/tree-growth.ts'
import {
  type CommitOutcome,
  type CommitRequest,
  decideBatch,
  type NumberedLog,
  numberedLogOf,
  type OperationRow,
  storedOfRow,
  type Written,
} from './judge-batch.ts'
import { migrate } from './migrations.ts'
import { NO_PLC_TREE } from './no-plc-tree.ts'
import type { Evidence, PlcStore, Position, StoredOperation } from './plc-store.ts'
import {
  announced,
  decideWithdrawal,
  evidenceOfRefusal,
  replayBatch,
  type WrittenInReplay,
} from './replay-batch.ts'
import { createSequencedEntries, firstInOrder, type SequencedEntry } from './sequenced-entry.ts'
import { openSqlitePlcTree } from './sqlite-plc-tree.ts'
import { didBytes, rowOf, type SqliteRow } from './sqlite-row.ts'
import { openSqliteWithdrawals } from './sqlite-withdrawals.ts'
import { createStoreListeners } from './store-listeners.ts'

export interface SqlitePlcStoreOptions {
  /** Path of the database, made if absent; `:memory:` for one that is forgotten. */
  readonly databaseFile: string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** How the transparency log grows. Without it the store keeps none. */
  readonly growTree?: GrowTree | undefined
  /** Operations come from another directory: entries of the log say which number they have there. */
  readonly isReplica?: boolean
  /** Logs kept in memory, so that the next operation of a DID finds its log without reading it. Default 10 000. */
  readonly cachedLogs?: number
}

/** Operations of one transaction while a log is poured over an older database. */
const BACKFILL_BATCH = 1000

/** Submissions that share one fsync at most: bounds how long one transaction keeps the event loop. */
const MAX_BATCH = 256

/** Opens a directory's database: one table, write-ahead log, an fsync per commit. */
export function openSqlitePlcStore(options: SqlitePlcStoreOptions): PlcStore {
  const { databaseFile, now, growTree, isReplica = false, cachedLogs = 10_000 } = options
  const db = new DatabaseSync(databaseFile)
  // Twelve operations to a page rather than five, which leave less of it empty. For new files only.
  db.exec('PRAGMA page_size = 8192')
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
  // Pages of the index by DID change all over: the longer they wait, the fewer have to be copied,
  // and as many as a batch touches have to stay at hand.
  db.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000')
  migrate(db)

  const insert = db.prepare(
    'INSERT INTO operation (seq, did, cid, json, signer, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const nullify = db.prepare('UPDATE operation SET nullified = 1 WHERE did = ? AND cid = ?')
  const selectLog = db.prepare('SELECT * FROM operation WHERE did = ? ORDER BY seq')
  const selectHead = db.prepare(
    'SELECT * FROM operation WHERE did = ? AND nullified = 0 ORDER BY seq DESC LIMIT 1',
  )
  const selectBySeq = db.prepare('SELECT * FROM operation WHERE seq > ? ORDER BY seq LIMIT ? + 0')
  const selectByTime = db.prepare(
    'SELECT * FROM operation WHERE created_at > ? ORDER BY created_at, seq LIMIT ? + 0',
  )
  const selectLatest = db.prepare('SELECT seq, created_at FROM operation ORDER BY seq DESC LIMIT 1')

  const insertEvidence = db.prepare(
    'INSERT OR IGNORE INTO evidence (did, seq, json, reason, found_at) VALUES (?, ?, ?, ?, ?)',
  )
  const selectEvidence = db.prepare(
    'SELECT id, did, seq, json, reason, found_at AS foundAt FROM evidence WHERE id > ? ORDER BY id LIMIT ? + 0',
  )

  /** All operations of a DID, oldest first. */
  function rowsOf(did: string): OperationRow[] {
    const bytes = didBytes(did)
    return bytes === undefined ? [] : (selectLog.all(bytes) as unknown as SqliteRow[]).map(rowOf)
  }

  function pageOf(after: Position, limit: number): OperationRow[] {
    const rows = 'seq' in after ? selectBySeq.all(after.seq, limit) : selectByTime.all(after.time, limit)
    return (rows as unknown as SqliteRow[]).map(rowOf)
  }

  const sequenced = createSequencedEntries(isReplica)

  const withdrawals = openSqliteWithdrawals(db, sequenced)

  function entriesFrom(firstSeq: number, count: number): SequencedEntry[] {
    const standing = pageOf({ seq: firstSeq - 1 }, count).map(sequenced.ofRow)
    return firstInOrder([...standing, ...withdrawals.entries(firstSeq - 1, count)], count)
  }

  const tree = growTree && openSqlitePlcTree(db, growTree, entriesFrom)

  /** What the committed operations say. Never ahead of the database: forgotten whenever a transaction fails. */
  const logs = new Map<DidPlc, NumberedLog>()

  function logOf(did: DidPlc): NumberedLog {
    const known = logs.get(did)
    if (known !== undefined) logs.delete(did)
    const log = known ?? numberedLogOf(did, rowsOf(did))
    logs.set(did, log)
    if (logs.size > cachedLogs) logs.delete(logs.keys().next().value!)
    return log
  }

  function latest(): Pick<StoredOperation, 'seq' | 'createdAt'> | undefined {
    const row = selectLatest.get() as unknown as Pick<SqliteRow, 'seq' | 'created_at'> | undefined
    const notice = withdrawals.latest()
    const newest = notice !== undefined && notice.seq > (row?.seq ?? 0) ? notice : row
    return newest && { seq: newest.seq, createdAt: newest.created_at }
  }

  function writeOperation(one: Written): StoredOperation {
    const { entry, nullified } = one.verdict
    const did = didBytes(one.did)!
    insert.run(one.seq, did, entry.cid.digest, one.stored.json, entry.signer, entry.createdAt)
    for (const undone of nullified) nullify.run(did, undone.digest)
    return one.stored
  }

  /** Inside a transaction. @returns what listeners are to be told, once it is committed. */
  function write(written: readonly Written[]): StoredOperation[] {
    const stored = written.map(writeOperation)
    tree?.appendInTransaction(
      written.map(({ seq, did, verdict }) => sequenced.ofOperation(seq, did, verdict.entry)),
    )
    return stored
  }

  /** As {@link write}, for whatever a replay brings. */
  function writeReplay(written: readonly WrittenInReplay[]): void {
    for (const one of written)
      if (one.kind === 'operation') writeOperation(one)
      else if (one.kind === 'aside') withdrawals.setAside(one.operation)
      else withdrawals.write(one.withdrawal)
    tree?.appendInTransaction(written.map(sequenced.ofWritten))
  }

  /** Whatever it throws undoes all of it, in memory as in the file. */
  function transaction<T>(work: () => T): T {
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      db.exec('COMMIT')
      return result
    } catch (error) {
      logs.clear()
      if (db.isTransaction) db.exec('ROLLBACK')
      tree?.reset()
      throw error
    }
  }

  /** A database from before it had a transparency log: every operation in it enters the log first. */
  function pourHistory(): void {
    if (tree === undefined) return
    for (let next = tree.nextSeq(); ; ) {
      const entries = entriesFrom(next, BACKFILL_BATCH)
      if (entries.length === 0) return
      transaction(() => tree.appendInTransaction(entries))
      next = entries.at(-1)!.seq + 1
    }
  }

  const { subscribe, announce } = createStoreListeners()

  const commits = createGroupCommit<CommitRequest, CommitOutcome>({
    maxRequests: MAX_BATCH,
    flush: (batch) => {
      const { outcomes, stored } = transaction(() => {
        const { outcomes, written } = decideBatch(batch, { logOf, latest: latest(), now })
        return { outcomes, stored: write(written) }
      })
      announce(stored)
      return outcomes
    },
  })

  pourHistory()
  return {
    async commit(did, decide) {
      const outcome = await commits.submit({ did, decide })
      if ('error' in outcome) throw outcome.error
      return outcome.receipt
    },
    async replay(batch, judge, refusals = 'keepOut') {
      const { outcomes, written } = transaction(() => {
        const replayed = replayBatch(batch, judge, refusals, {
          logOf,
          asideOf: withdrawals.asideOf,
          replaceLog: (did, log) => void logs.set(did, log),
          latest: latest(),
          isReplica,
        })
        for (const one of replayed.refused) {
          const { did, seq, json, reason } = evidenceOfRefusal(one)
          insertEvidence.run(did, seq, json, reason, now())
        }
        writeReplay(replayed.written)
        return replayed
      })
      const { operations, withdrawals: withdrawn } = announced(written)
      announce(operations, withdrawn)
      return outcomes
    },
    async withdraw({ did, cid, reason }) {
      const known = withdrawals.ofDid(did).find((one) => one.operations.some((aside) => aside.cid === cid))
      if (known !== undefined && !logOf(did).seqs.has(cid)) return known
      const { written, left } = decideWithdrawal({ did, cid, reason }, logOf(did), { latest: latest(), now })
      transaction(() => writeReplay([{ kind: 'withdrawal', withdrawal: written }]))
      logs.set(did, left)
      announce([], [written.withdrawal])
      return written.withdrawal
    },
    withdrawals: async (did) => withdrawals.ofDid(did),
    withdrawalPage: async (after, limit) => withdrawals.page(after, limit),
    unexplained: async (limit) => withdrawals.unexplained(limit),
    async keepEvidence({ did, seq, json, reason }) {
      insertEvidence.run(did, seq, json, reason, now())
    },
    evidence: async ({ after, limit }) =>
      selectEvidence.all(after, limit) as unknown as (Evidence & { id: number })[],
    async head(did) {
      const bytes = didBytes(did)
      const row = bytes && (selectHead.get(bytes) as unknown as SqliteRow | undefined)
      return row && storedOfRow(rowOf(row))
    },
    operations: async (did) => rowsOf(did).map(storedOfRow),
    page: async (after, limit) => pageOf(after, limit).map(storedOfRow),
    subscribe,
    latest: async () => latest(),
    tree: tree ?? NO_PLC_TREE,
    [Symbol.asyncDispose]: async () => {
      await commits.idle()
      db.close()
    },
  }
}
