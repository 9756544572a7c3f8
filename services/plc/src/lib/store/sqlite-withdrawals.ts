import type { DatabaseSync } from 'node:sqlite'
import { parseCid } from '@imago/data'
import type { DidPlc } from '@imago/identity/plc'
import { type AsideRow, asideOfRow } from './aside-row.ts'
import type { AsideOperation, Notice, Withdrawal } from './plc-store.ts'
import type { Aside, WrittenWithdrawal } from './replay-batch.ts'
import type { SequencedEntries, SequencedEntry } from './sequenced-entry.ts'
import { cidOfDigest, didBytes, didOf } from './sqlite-row.ts'

/** Notices, and the operations that were set aside, in the directory's own file. */
export interface SqliteWithdrawals {
  /** Inside a transaction. */
  write(written: WrittenWithdrawal): void
  /** Inside a transaction: an operation that is in the log, and may not stand. */
  setAside(operation: AsideOperation): void
  asideOf(did: DidPlc): Aside
  ofDid(did: string): readonly Withdrawal[]
  page(after: number, limit: number): readonly Withdrawal[]
  unexplained(limit: number): readonly AsideOperation[]
  latest(): { readonly seq: number; readonly created_at: number } | undefined
  /** Entries of the log that no operation of today's histories stands for, behind a number. */
  entries(after: number, limit: number): readonly SequencedEntry[]
}

interface NoticeRow {
  readonly seq: number
  readonly did: Uint8Array
  readonly cid: Uint8Array
  readonly reason: string
  readonly created_at: number
}

type BinaryAsideRow = Omit<AsideRow, 'did' | 'cid' | 'nullified'> & {
  readonly did: Uint8Array
  readonly cid: Uint8Array
  readonly nullified: number
}

export function openSqliteWithdrawals(db: DatabaseSync, sequenced: SequencedEntries): SqliteWithdrawals {
  const insertNotice = db.prepare(
    'INSERT INTO withdrawal (seq, did, cid, reason, created_at) VALUES (?, ?, ?, ?, ?)',
  )
  const insertAside = db.prepare(
    `INSERT OR IGNORE INTO set_aside (seq, did, cid, json, nullified, created_at, rule, fault, notice, is_logged)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const moveAside = db.prepare(
    `INSERT INTO set_aside (seq, did, cid, json, nullified, created_at, rule, fault, notice, is_logged)
     SELECT seq, did, cid, json, nullified, created_at, ?, ?, ?, 1 FROM operation WHERE seq = ?`,
  )
  const remove = db.prepare('DELETE FROM operation WHERE seq = ?')
  const explain = db.prepare('UPDATE set_aside SET notice = ? WHERE seq = ?')
  const change = db.prepare('UPDATE operation SET nullified = ?, signer = ? WHERE seq = ?')
  const selectNotices = db.prepare('SELECT * FROM withdrawal WHERE did = ? ORDER BY seq')
  const selectNoticePage = db.prepare('SELECT * FROM withdrawal WHERE seq > ? ORDER BY seq LIMIT ? + 0')
  const selectLatest = db.prepare('SELECT seq, created_at FROM withdrawal ORDER BY seq DESC LIMIT 1')
  const selectOfNotice = db.prepare('SELECT * FROM set_aside WHERE notice = ? ORDER BY seq')
  const selectUnexplainedOf = db.prepare(
    'SELECT * FROM set_aside WHERE did = ? AND notice IS NULL ORDER BY seq',
  )
  const selectUnexplained = db.prepare(
    'SELECT * FROM set_aside WHERE notice IS NULL ORDER BY seq LIMIT ? + 0',
  )
  const selectLogged = db.prepare(
    'SELECT * FROM set_aside WHERE seq > ? AND is_logged = 1 ORDER BY seq LIMIT ? + 0',
  )

  const asides = (rows: unknown): AsideOperation[] =>
    (rows as BinaryAsideRow[]).map((row) =>
      asideOfRow({ ...row, did: didOf(row.did), cid: cidOfDigest(row.cid), nullified: row.nullified === 1 }),
    )
  const noticeOf = ({ seq, did, cid, reason, created_at }: NoticeRow): Notice => ({
    seq,
    did: didOf(did) as DidPlc,
    cid: cidOfDigest(cid),
    reason,
    createdAt: created_at,
  })
  const notices = (rows: unknown): Notice[] => (rows as NoticeRow[]).map(noticeOf)
  const withOperations = (notice: Notice): Withdrawal => ({
    ...notice,
    operations: asides(selectOfNotice.all(notice.seq)),
  })

  function insert(operation: AsideOperation, notice: number | null, isLogged: boolean): void {
    const { seq, did, cid, json, nullified, createdAt, rule, fault } = operation
    insertAside.run(
      seq,
      didBytes(did)!,
      parseCid(cid).digest,
      json,
      Number(nullified),
      createdAt,
      rule,
      fault,
      notice,
      Number(isLogged),
    )
  }

  return {
    write({ withdrawal, fallen, explained, told, changed }) {
      const { seq: notice, did, cid, reason, createdAt, operations } = withdrawal
      insertNotice.run(notice, didBytes(did)!, parseCid(cid).digest, reason, createdAt)
      for (const seq of fallen) {
        const { rule, fault } = operations.find((one) => one.seq === seq)!
        moveAside.run(rule, fault, notice, seq)
        remove.run(seq)
      }
      for (const seq of explained) explain.run(notice, seq)
      for (const operation of told) insert(operation, notice, false)
      for (const { seq, nullified, signer } of changed) change.run(Number(nullified), signer, seq)
    },
    setAside: (operation) => insert(operation, null, true),
    asideOf(did) {
      const bytes = didBytes(did)!
      return {
        unexplained: asides(selectUnexplainedOf.all(bytes)),
        notices: new Set(notices(selectNotices.all(bytes)).map(({ seq }) => seq)),
      }
    },
    ofDid(did) {
      const bytes = didBytes(did)
      return bytes === undefined ? [] : notices(selectNotices.all(bytes)).map(withOperations)
    },
    page: (after, limit) => notices(selectNoticePage.all(after, limit)).map(withOperations),
    unexplained: (limit) => asides(selectUnexplained.all(limit)),
    latest: () => selectLatest.get() as { seq: number; created_at: number } | undefined,
    entries(after, limit) {
      const ofNotices = notices(selectNoticePage.all(after, limit)).map(sequenced.ofNotice)
      const ofOperations = asides(selectLogged.all(after, limit)).map(sequenced.ofAside)
      return [...ofNotices, ...ofOperations]
    },
  }
}
