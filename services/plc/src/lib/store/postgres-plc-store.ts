import type { DidPlc } from '@imago/identity/plc'
import { createGroupCommit } from '@imago/log'
import { type ClientBase, Pool } from 'pg'
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
import { NO_PLC_TREE } from './no-plc-tree.ts'
import type { Evidence, PlcStore } from './plc-store.ts'
import { migratePostgres } from './postgres-migrations.ts'
import { createPostgresPlcTree } from './postgres-plc-tree.ts'
import { createPostgresWithdrawals } from './postgres-withdrawals.ts'
import { CONNECTION, openPostgresWriter } from './postgres-writer.ts'
import {
  type Aside,
  announced,
  decideWithdrawal,
  evidenceOfRefusal,
  isNotice,
  replayBatch,
  type WrittenInReplay,
} from './replay-batch.ts'
import { createSequencedEntries, firstInOrder, type SequencedEntry } from './sequenced-entry.ts'
import { createStoreListeners } from './store-listeners.ts'
import { WithdrawalError } from './withdrawal-error.ts'

export interface PostgresPlcStoreOptions {
  /** Address of the database, such as `postgres://user:password@host/plc`. Tables are made if absent. */
  readonly databaseUrl: string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** How the transparency log grows. Without it the store keeps none. */
  readonly growTree?: GrowTree | undefined
  /** Operations come from another directory: entries of the log say which number they have there. */
  readonly isReplica?: boolean
  /** Logs kept in memory, so that the next operation of a DID finds its log without reading it. Default 10 000. */
  readonly cachedLogs?: number
  /** Connections that read at the same time. Default 8. */
  readonly readers?: number
  /** Hears of connections that broke while nobody used them. */
  readonly onConnectionLost?: ((error: Error) => void) | undefined
}

/** What is read all the time; the server parses each once per connection. */
const SELECTS = {
  head: 'SELECT * FROM operation WHERE did = $1 AND NOT nullified ORDER BY seq DESC LIMIT 1',
  byDid: 'SELECT * FROM operation WHERE did = $1 ORDER BY seq',
  bySeq: 'SELECT * FROM operation WHERE seq > $1 ORDER BY seq LIMIT $2',
  byTime: 'SELECT * FROM operation WHERE created_at > $1 ORDER BY created_at, seq LIMIT $2',
} as const

/** Operations of one transaction while a log is poured over an older database. */
const BACKFILL_BATCH = 1000

/** Submissions that share one commit at most. A round trip costs more than the work of one, so more than in a file. */
const MAX_BATCH = 512

type EvidenceRow = Omit<Evidence, 'did' | 'json' | 'reason' | 'foundAt'> & {
  readonly id: number
  readonly did: Buffer
  readonly json: Buffer
  readonly reason: Buffer
  readonly found_at: number
}

/**
 * Opens a directory's database on a PostgreSQL server. One process writes at a time: it holds an advisory lock on the
 * connection that it writes by. Reads have connections of their own.
 * @throws {Error} when nobody answers there, another process is the directory of this database, or a newer version was.
 */
export async function openPostgresPlcStore(options: PostgresPlcStoreOptions): Promise<PlcStore> {
  const { databaseUrl, now, growTree, isReplica = false, cachedLogs = 10_000, readers = 8 } = options
  const pool = new Pool({ connectionString: databaseUrl, max: readers, ...CONNECTION })
  pool.on('error', (error) => options.onConnectionLost?.(error))

  async function select(name: keyof typeof SELECTS, values: unknown[]): Promise<OperationRow[]> {
    return (await pool.query<OperationRow>({ name, text: SELECTS[name], values })).rows
  }

  const sequenced = createSequencedEntries(isReplica)

  const withdrawals = createPostgresWithdrawals(pool, sequenced)

  async function entriesFrom(
    from: Pick<ClientBase | Pool, 'query'>,
    firstSeq: number,
    count: number,
  ): Promise<SequencedEntry[]> {
    const { rows } = await from.query<OperationRow>(SELECTS.bySeq, [firstSeq - 1, count])
    const others = await withdrawals.entries(from, firstSeq - 1, count)
    return firstInOrder([...rows.map(sequenced.ofRow), ...others], count)
  }

  const tree =
    growTree && createPostgresPlcTree(pool, growTree, (firstSeq, count) => entriesFrom(pool, firstSeq, count))

  /** What the committed operations say. Never ahead of the database: forgotten whenever a transaction fails. */
  const logs = new Map<DidPlc, NumberedLog>()
  const forget = () => {
    logs.clear()
    tree?.reset()
  }

  /** Every log that a batch speaks of, at hand for decisions that cannot wait. */
  async function gather(client: ClientBase, dids: Iterable<DidPlc>): Promise<(did: DidPlc) => NumberedLog> {
    const wanted = [...new Set(dids)]
    const absent = wanted.filter((did) => !logs.has(did))
    if (absent.length > 0) {
      const { rows } = await client.query<OperationRow>(
        'SELECT * FROM operation WHERE did = ANY($1) ORDER BY seq',
        [absent],
      )
      const byDid = Map.groupBy(rows, ({ did }) => did)
      for (const did of absent) logs.set(did, numberedLogOf(did, byDid.get(did) ?? []))
    }
    const gathered = new Map(wanted.map((did) => [did, logs.get(did)!]))
    for (const [did, log] of gathered) {
      logs.delete(did)
      logs.set(did, log)
    }
    for (const did of logs.keys()) {
      if (logs.size <= cachedLogs) break
      logs.delete(did)
    }
    return (did) => gathered.get(did)!
  }

  async function latestOf(client: Pick<ClientBase | Pool, 'query'>) {
    const { rows } = await client.query<OperationRow>(
      `(SELECT seq, created_at FROM operation ORDER BY seq DESC LIMIT 1)
       UNION ALL (SELECT seq, created_at FROM withdrawal ORDER BY seq DESC LIMIT 1) ORDER BY seq DESC LIMIT 1`,
    )
    return rows[0] && { seq: rows[0].seq, createdAt: rows[0].created_at }
  }

  async function write(client: ClientBase, written: readonly Written[]): Promise<void> {
    await writeOperations(client, written)
    await tree?.append(
      client,
      written.map(({ seq, did, verdict }) => sequenced.ofOperation(seq, did, verdict.entry)),
    )
  }

  /** As {@link write}, for whatever a replay brings: operations side by side in one statement. */
  async function writeReplay(client: ClientBase, written: readonly WrittenInReplay[]): Promise<void> {
    let run: Written[] = []
    for (const one of written) {
      if (one.kind === 'operation') {
        run.push(one)
        continue
      }
      await writeOperations(client, run)
      run = []
      if (one.kind === 'aside') await withdrawals.setAside(client, one.operation)
      else await withdrawals.write(client, one.withdrawal)
    }
    await writeOperations(client, run)
    await tree?.append(client, written.map(sequenced.ofWritten))
  }

  async function writeOperations(client: ClientBase, written: readonly Written[]): Promise<void> {
    if (written.length === 0) return
    const stored = written.map((one) => one.stored)
    await client.query(
      `INSERT INTO operation (seq, did, cid, json, signer, created_at)
       SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[])`,
      [
        stored.map(({ seq }) => seq),
        stored.map(({ did }) => did),
        stored.map(({ cid }) => cid),
        stored.map(({ json }) => json),
        written.map(({ verdict }) => verdict.entry.signer),
        stored.map(({ createdAt }) => createdAt),
      ],
    )
    const undone = written.flatMap(({ did, verdict }) =>
      verdict.nullified.map((cid) => ({ did, cid: cid.toString() })),
    )
    if (undone.length > 0)
      await client.query(
        `UPDATE operation SET nullified = true FROM unnest($1::text[], $2::text[]) AS undone (did, cid)
         WHERE operation.did = undone.did AND operation.cid = undone.cid`,
        [undone.map(({ did }) => did), undone.map(({ cid }) => cid)],
      )
  }

  async function insertEvidence(
    client: Pick<ClientBase | Pool, 'query'>,
    evidence: Omit<Evidence, 'foundAt'>,
  ) {
    const { did, seq, json, reason } = evidence
    await client.query(
      'INSERT INTO evidence (did, seq, json, reason, found_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
      [Buffer.from(did), seq, Buffer.from(json), Buffer.from(reason), now()],
    )
  }

  const writer = await openPostgresWriter(databaseUrl, async (client) => {
    forget()
    await migratePostgres(client)
  })

  async function transaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    try {
      return await writer.transaction(work)
    } catch (error) {
      forget()
      throw error
    }
  }

  /** A database from before it had a transparency log: every operation in it enters the log first. */
  async function pourHistory(): Promise<void> {
    if (tree === undefined) return
    const pourSome = async (client: ClientBase) => {
      const entries = await entriesFrom(client, await tree.nextSeq(client), BACKFILL_BATCH)
      await tree.append(client, entries)
      return entries.length
    }
    while ((await transaction(pourSome)) > 0);
  }

  const { subscribe, announce } = createStoreListeners()

  const commits = createGroupCommit<CommitRequest, CommitOutcome>({
    maxRequests: MAX_BATCH,
    async flush(batch) {
      const { outcomes, written } = await transaction(async (client) => {
        const logOf = await gather(
          client,
          batch.map(({ did }) => did),
        )
        const decided = decideBatch(batch, { logOf, latest: await latestOf(client), now })
        await write(client, decided.written)
        return decided
      })
      announce(written.map((one) => one.stored))
      return outcomes
    },
  })

  try {
    await pourHistory()
  } catch (error) {
    await writer[Symbol.asyncDispose]()
    await pool.end()
    throw error
  }
  return {
    async commit(did, decide) {
      const outcome = await commits.submit({ did, decide })
      if ('error' in outcome) throw outcome.error
      return outcome.receipt
    },
    async replay(batch, judge, refusals = 'keepOut') {
      const { outcomes, written } = await transaction(async (client) => {
        const logOf = await gather(
          client,
          batch.map(({ did }) => did),
        )
        const replaced = new Map<DidPlc, NumberedLog>()
        const aside = new Map<DidPlc, Aside>()
        for (const { did } of batch.filter(isNotice))
          if (!aside.has(did)) aside.set(did, await withdrawals.asideOf(client, did))
        const replayed = replayBatch(batch, judge, refusals, {
          logOf: (did) => replaced.get(did) ?? logOf(did),
          asideOf: (did) => aside.get(did)!,
          replaceLog(did, log) {
            replaced.set(did, log)
            logs.set(did, log)
          },
          latest: await latestOf(client),
          isReplica,
        })
        await writeReplay(client, replayed.written)
        for (const one of replayed.refused) await insertEvidence(client, evidenceOfRefusal(one))
        return replayed
      })
      const { operations, withdrawals: withdrawn } = announced(written)
      announce(operations, withdrawn)
      return outcomes
    },
    async withdraw({ did, cid, reason }) {
      const outcome = await transaction(async (client) => {
        const numbered = (await gather(client, [did]))(did)
        const given = await withdrawals.ofDid(client, did)
        const known = given.find((one) => one.operations.some((aside) => aside.cid === cid))
        if (known !== undefined && !numbered.seqs.has(cid)) return { known }
        try {
          const latest = await latestOf(client)
          const { written, left } = decideWithdrawal({ did, cid, reason }, numbered, { latest, now })
          await writeReplay(client, [{ kind: 'withdrawal', withdrawal: written }])
          logs.set(did, left)
          return { withdrawal: written.withdrawal }
        } catch (error) {
          // Nothing was written: what is remembered stays true.
          if (error instanceof WithdrawalError) return { error }
          throw error
        }
      })
      if (outcome.error !== undefined) throw outcome.error
      if (outcome.known !== undefined) return outcome.known
      announce([], [outcome.withdrawal])
      return outcome.withdrawal
    },
    withdrawals: async (did) => (isStorable(did) ? await withdrawals.ofDid(pool, did) : []),
    withdrawalPage: (after, limit) => withdrawals.page(after, limit),
    unexplained: (limit) => withdrawals.unexplained(limit),
    keepEvidence: (evidence) => insertEvidence(pool, evidence),
    async evidence({ after, limit }) {
      const { rows } = await pool.query<EvidenceRow>(
        'SELECT * FROM evidence WHERE id > $1 ORDER BY id LIMIT $2',
        [after, limit],
      )
      return rows.map(({ id, did, seq, json, reason, found_at }) => ({
        id,
        did: did.toString(),
        seq,
        json: json.toString(),
        reason: reason.toString(),
        foundAt: found_at,
      }))
    },
    async head(did) {
      if (!isStorable(did)) return undefined
      const [row] = await select('head', [did])
      return row && storedOfRow(row)
    },
    async operations(did) {
      if (!isStorable(did)) return []
      return (await select('byDid', [did])).map(storedOfRow)
    },
    async page(after, limit) {
      const rows =
        'seq' in after
          ? await select('bySeq', [after.seq, limit])
          : await select('byTime', [after.time, limit])
      return rows.map(storedOfRow)
    },
    subscribe,
    latest: () => latestOf(pool),
    tree: tree ?? NO_PLC_TREE,
    async [Symbol.asyncDispose]() {
      await commits.idle()
      await writer[Symbol.asyncDispose]()
      await pool.end()
    },
  }
}

/** No text of PostgreSQL holds NUL, so no such DID is there. */
const isStorable = (did: string) => !did.includes('\0')
