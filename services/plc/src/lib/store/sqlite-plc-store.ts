import { DatabaseSync } from 'node:sqlite'
import { parseCid } from '@imago/data'
import {
  applyVerdict,
  createLog,
  type DidPlc,
  type LogEntry,
  operationCid,
  PlcError,
  type PlcLog,
  parseOperation,
  type Verdict,
} from '@imago/identity/plc'
import { createGroupCommit } from '@imago/log'
import { logEntryOf } from '../transparency/log-entry.ts'
import type { GrowTree } from '../transparency/tree-growth.ts'
import { migrate } from './migrations.ts'
import type {
  Decision,
  Evidence,
  PlcStore,
  PlcTree,
  Receipt,
  Replayed,
  ReplayOutcome,
  Situation,
  StoredOperation,
} from './plc-store.ts'
import { openSqlitePlcTree, type SequencedEntry } from './sqlite-plc-tree.ts'

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

interface Row {
  seq: number
  did: string
  cid: string
  json: string
  signer: number
  nullified: number
  created_at: number
}

interface Request {
  readonly did: DidPlc
  readonly decide: (situation: Situation) => Decision
}

interface Written {
  readonly operation: StoredOperation
  readonly entry: SequencedEntry
}

type Outcome = { readonly receipt: Receipt; readonly written?: Written } | { readonly error: unknown }

interface Replay {
  readonly outcome: ReplayOutcome
  readonly written?: Written
}

/** Operations of one transaction while a log is poured over an older database. */
const BACKFILL_BATCH = 1000

/** Submissions that share one fsync at most: bounds how long one transaction keeps the event loop. */
const MAX_BATCH = 256

/** Opens a directory's database: one table, write-ahead log, an fsync per commit. */
export function openSqlitePlcStore(options: SqlitePlcStoreOptions): PlcStore {
  const { databaseFile, now, growTree, isReplica = false, cachedLogs = 10_000 } = options
  const db = new DatabaseSync(databaseFile)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
  migrate(db)

  const insert = db.prepare(
    'INSERT INTO operation (seq, did, cid, json, signer, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const nullify = db.prepare('UPDATE operation SET nullified = 1 WHERE did = ? AND cid = ?')
  const selectSeq = db.prepare('SELECT seq FROM operation WHERE did = ? AND cid = ?')
  const selectLog = db.prepare('SELECT * FROM operation WHERE did = ? ORDER BY seq')
  const selectHead = db.prepare(
    'SELECT * FROM operation WHERE did = ? AND nullified = 0 ORDER BY seq DESC LIMIT 1',
  )
  const selectBySeq = db.prepare('SELECT * FROM operation WHERE seq > ? ORDER BY seq LIMIT ?')
  const selectByTime = db.prepare(
    'SELECT * FROM operation WHERE created_at > ? ORDER BY created_at, seq LIMIT ?',
  )
  const selectLatest = db.prepare('SELECT seq, created_at FROM operation ORDER BY seq DESC LIMIT 1')

  const insertEvidence = db.prepare(
    'INSERT OR IGNORE INTO evidence (did, seq, json, reason, found_at) VALUES (?, ?, ?, ?, ?)',
  )
  const selectEvidence = db.prepare(
    'SELECT id, did, seq, json, reason, found_at AS foundAt FROM evidence WHERE id > ? ORDER BY id LIMIT ?',
  )

  const sequencedEntryOf = (
    seq: number,
    did: DidPlc,
    { cid, operation, createdAt }: LogEntry,
  ): SequencedEntry => ({
    seq,
    entry: logEntryOf({ did, cid, operation, createdAt, ...(isReplica && { upstreamSeq: seq }) }),
  })

  const entriesFrom = (firstSeq: number, count: number) =>
    (selectBySeq.all(firstSeq - 1, count) as unknown as Row[]).map((row) =>
      sequencedEntryOf(row.seq, row.did as DidPlc, entryOf(row)),
    )

  const tree = growTree && openSqlitePlcTree(db, growTree, entriesFrom)

  /** What the committed operations say. Never ahead of the database: forgotten whenever a transaction fails. */
  const logs = new Map<DidPlc, PlcLog>()

  function logOf(did: DidPlc): PlcLog {
    const known = logs.get(did)
    if (known !== undefined) logs.delete(did)
    const log = known ?? createLog(did, (selectLog.all(did) as unknown as Row[]).map(entryOf))
    logs.set(did, log)
    if (logs.size > cachedLogs) logs.delete(logs.keys().next().value!)
    return log
  }

  const latestRow = () => selectLatest.get() as unknown as Pick<Row, 'seq' | 'created_at'> | undefined

  /** Inside a transaction: decides about each request in turn, and writes what was accepted. */
  function decideAll(batch: readonly Request[]): Outcome[] {
    const last = latestRow()
    let seq = last?.seq ?? 0
    let time = last?.created_at ?? 0
    return batch.map(({ did, decide }) => {
      const log = logOf(did)
      const createdAt = Math.max(now(), time, (log.head?.createdAt ?? 0) + 1)
      let decision: Decision
      try {
        decision = decide({ log, createdAt })
      } catch (error) {
        return { error }
      }
      if (decision.kind === 'known') return { receipt: receiptOf(seqOf(did, decision.entry), decision.entry) }
      const { verdict } = decision
      const written = write(++seq, did, verdict)
      applyVerdict(log, verdict)
      time = verdict.entry.createdAt
      return { receipt: receiptOf(seq, verdict.entry), written }
    })
  }

  function write(seq: number, did: DidPlc, { entry, nullified }: Verdict): Written {
    const { operation, signer, createdAt } = entry
    const cid = entry.cid.toString()
    const json = JSON.stringify(operation)
    insert.run(seq, did, cid, json, signer, createdAt)
    for (const undone of nullified) nullify.run(did, undone.toString())
    return {
      operation: { seq, did, cid, json, nullified: false, createdAt },
      entry: sequencedEntryOf(seq, did, entry),
    }
  }

  const writtenOf = (outcomes: readonly (Outcome | Replay)[]): Written[] =>
    outcomes.flatMap((outcome) => ('written' in outcome ? (outcome.written ?? []) : []))

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

  const listeners = new Set<(operations: readonly StoredOperation[]) => void>()

  function announce(written: readonly Written[]): void {
    if (written.length === 0) return
    const operations = written.map(({ operation }) => operation)
    for (const listener of listeners) listener(operations)
  }

  const seqOf = (did: DidPlc, { cid }: LogEntry) =>
    (selectSeq.get(did, cid.toString()) as unknown as { seq: number }).seq

  const commits = createGroupCommit<Request, Outcome>({
    maxRequests: MAX_BATCH,
    flush: (batch) => {
      const outcomes = transaction(() => {
        const decided = decideAll(batch)
        tree?.appendInTransaction(writtenOf(decided).map(({ entry }) => entry))
        return decided
      })
      announce(writtenOf(outcomes))
      return outcomes
    },
  })

  pourHistory()
  /** Inside a transaction. */
  function replayOne(
    replayed: Replayed,
    judge: Parameters<PlcStore['replay']>[1],
    latestSeq: number,
  ): Replay {
    const { did, operation, seq } = replayed
    const log = logOf(did)
    const cid = operationCid(operation)
    if (log.entries.some((entry) => entry.cid.equals(cid))) return { outcome: { kind: 'known' } }
    if (seq <= latestSeq) return { outcome: { kind: 'outOfOrder', latestSeq } }
    try {
      const verdict = judge(log, replayed)
      const written = write(seq, did, verdict)
      applyVerdict(log, verdict)
      return { outcome: { kind: 'accepted', operation: written.operation }, written }
    } catch (error) {
      if (!(error instanceof PlcError)) throw error
      insertEvidence.run(did, seq, JSON.stringify(operation), error.message, now())
      return { outcome: { kind: 'refused', error } }
    }
  }

  return {
    async replay(batch, judge) {
      const replays = transaction(() => {
        let latestSeq = latestRow()?.seq ?? 0
        const done = batch.map((replayed) => {
          const replay = replayOne(replayed, judge, latestSeq)
          latestSeq = replay.written?.operation.seq ?? latestSeq
          return replay
        })
        tree?.appendInTransaction(writtenOf(done).map(({ entry }) => entry))
        return done
      })
      announce(writtenOf(replays))
      return replays.map(({ outcome }) => outcome)
    },
    async keepEvidence({ did, seq, json, reason }) {
      insertEvidence.run(did, seq, json, reason, now())
    },
    evidence: async ({ after, limit }) =>
      selectEvidence.all(after, limit) as unknown as (Evidence & { id: number })[],
    async commit(did, decide) {
      const outcome = await commits.submit({ did, decide })
      if ('error' in outcome) throw outcome.error
      return outcome.receipt
    },
    head: async (did) => {
      const row = selectHead.get(did) as unknown as Row | undefined
      return row && storedOf(row)
    },
    operations: async (did) => (selectLog.all(did) as unknown as Row[]).map(storedOf),
    page: async (after, limit) => {
      const rows = 'seq' in after ? selectBySeq.all(after.seq, limit) : selectByTime.all(after.time, limit)
      return (rows as unknown as Row[]).map(storedOf)
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    latest: async () => {
      const row = latestRow()
      return row && { seq: row.seq, createdAt: row.created_at }
    },
    tree: tree ?? NO_TREE,
    [Symbol.asyncDispose]: async () => {
      await commits.idle()
      db.close()
    },
  }
}

const NO_TREE: PlcTree = {
  checkpoint: async () => undefined,
  hashes: async () => new Uint8Array(0),
  entries: async () => [],
  indexOf: async (seq) => seq - 1,
}

function storedOf({ seq, did, cid, json, nullified, created_at }: Row): StoredOperation {
  return { seq, did, cid, json, nullified: nullified === 1, createdAt: created_at }
}

function entryOf({ json, cid, created_at, signer, nullified }: Row): LogEntry {
  return {
    operation: parseOperation(JSON.parse(json), 'replay'),
    cid: parseCid(cid),
    createdAt: created_at,
    signer,
    nullified: nullified === 1,
  }
}

const receiptOf = (seq: number, { cid, nullified, createdAt }: LogEntry): Receipt => ({
  seq,
  cid: cid.toString(),
  nullified,
  createdAt,
})
