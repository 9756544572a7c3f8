import type { DidPlc } from '@imago/identity/plc'
import type { ClientBase, Pool } from 'pg'
import { type AsideRow, asideOfRow } from './aside-row.ts'
import type { AsideOperation, Notice, Withdrawal } from './plc-store.ts'
import type { Aside, WrittenWithdrawal } from './replay-batch.ts'
import type { SequencedEntries, SequencedEntry } from './sequenced-entry.ts'

type Queryable = Pick<ClientBase | Pool, 'query'>

/** Notices, and the operations that were set aside, in the directory's own database. */
export interface PostgresWithdrawals {
  /** Inside the transaction of `client`. */
  write(client: ClientBase, written: WrittenWithdrawal): Promise<void>
  /** Inside the transaction of `client`: operations that are in the log, and may not stand. */
  setAside(client: ClientBase, operation: AsideOperation): Promise<void>
  asideOf(client: Queryable, did: DidPlc): Promise<Aside>
  ofDid(from: Queryable, did: string): Promise<readonly Withdrawal[]>
  page(after: number, limit: number): Promise<readonly Withdrawal[]>
  unexplained(limit: number): Promise<readonly AsideOperation[]>
  /** Entries of the log that no operation of today's histories stands for, behind a number. */
  entries(from: Queryable, after: number, limit: number): Promise<readonly SequencedEntry[]>
}

interface NoticeRow {
  readonly seq: number
  readonly did: DidPlc
  readonly cid: string
  readonly reason: string
  readonly created_at: number
}

const noticeOf = ({ seq, did, cid, reason, created_at }: NoticeRow): Notice => ({
  seq,
  did,
  cid,
  reason,
  createdAt: created_at,
})

export function createPostgresWithdrawals(pool: Pool, sequenced: SequencedEntries): PostgresWithdrawals {
  async function notices(from: Queryable, condition: string, values: unknown[]): Promise<Notice[]> {
    const { rows } = await from.query<NoticeRow>(`SELECT * FROM withdrawal WHERE ${condition}`, values)
    return rows.map(noticeOf)
  }

  async function asides(from: Queryable, condition: string, values: unknown[]): Promise<AsideOperation[]> {
    const { rows } = await from.query<AsideRow>(`SELECT * FROM set_aside WHERE ${condition}`, values)
    return rows.map(asideOfRow)
  }

  async function withOperations(from: Queryable, found: readonly Notice[]): Promise<Withdrawal[]> {
    if (found.length === 0) return []
    const { rows } = await from.query<AsideRow>(
      'SELECT * FROM set_aside WHERE notice = ANY($1) ORDER BY seq',
      [found.map(({ seq }) => seq)],
    )
    const byNotice = Map.groupBy(rows, ({ notice }) => notice)
    return found.map((notice) => ({
      ...notice,
      operations: (byNotice.get(notice.seq) ?? []).map(asideOfRow),
    }))
  }

  async function insert(
    client: ClientBase,
    operation: AsideOperation,
    notice: number | null,
    isLogged: boolean,
  ): Promise<void> {
    const { seq, did, cid, json, nullified, createdAt, rule, fault } = operation
    await client.query(
      `INSERT INTO set_aside (seq, did, cid, json, nullified, created_at, rule, fault, notice, is_logged)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
      [seq, did, cid, json, nullified, createdAt, rule, storable(fault), notice, isLogged],
    )
  }

  return {
    async write(client, { withdrawal, fallen, explained, told, changed }) {
      const { seq: notice, did, cid, reason, createdAt, operations } = withdrawal
      await client.query(
        'INSERT INTO withdrawal (seq, did, cid, reason, created_at) VALUES ($1, $2, $3, $4, $5)',
        [notice, did, cid, reason, createdAt],
      )
      for (const seq of fallen) await insert(client, operations.find((one) => one.seq === seq)!, notice, true)
      await client.query('DELETE FROM operation WHERE seq = ANY($1)', [fallen])
      await client.query('UPDATE set_aside SET notice = $1 WHERE seq = ANY($2)', [notice, explained])
      for (const operation of told) await insert(client, operation, notice, false)
      for (const { seq, nullified, signer } of changed)
        await client.query('UPDATE operation SET nullified = $1, signer = $2 WHERE seq = $3', [
          nullified,
          signer,
          seq,
        ])
    },
    setAside: (client, operation) => insert(client, operation, null, true),
    async asideOf(client, did) {
      const found = await notices(client, 'did = $1', [did])
      return {
        unexplained: await asides(client, 'did = $1 AND notice IS NULL ORDER BY seq', [did]),
        notices: new Set(found.map(({ seq }) => seq)),
      }
    },
    ofDid: async (from, did) => withOperations(from, await notices(from, 'did = $1 ORDER BY seq', [did])),
    page: async (after, limit) =>
      withOperations(pool, await notices(pool, 'seq > $1 ORDER BY seq LIMIT $2', [after, limit])),
    unexplained: (limit) => asides(pool, 'notice IS NULL ORDER BY seq LIMIT $1', [limit]),
    async entries(from, after, limit) {
      const ofNotices = await notices(from, 'seq > $1 ORDER BY seq LIMIT $2', [after, limit])
      const ofOperations = await asides(from, 'seq > $1 AND is_logged ORDER BY seq LIMIT $2', [after, limit])
      return [...ofNotices.map(sequenced.ofNotice), ...ofOperations.map(sequenced.ofAside)]
    },
  }
}

/** No text of PostgreSQL holds NUL. */
const storable = (text: string) => text.replaceAll('\0', '\u2400')
