import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { cidFromBytes } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { Account, LocalStatus } from './account.ts'
import { migrate } from './migrations.ts'
import type { Host, HostStatus, StateStore } from './state-store.ts'

type Row = Record<string, SQLOutputValue>

const ACCOUNT = `SELECT id, did, host, upstream_active, upstream_status, local_status, rev, data, head`

/**
 * Opens the relay's database, or makes it. `:memory:` keeps everything in memory.
 * @throws {Error} when a newer version of this program wrote the file, or when SQLite cannot open it.
 */
export function openSqliteStateStore(path: string): StateStore {
  const db = new DatabaseSync(path)
  try {
    // NORMAL: what the log tells again need not wait for the disk a second time.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000')
    db.exec('PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16384')
    migrate(db)
    return wrap(db)
  } catch (error) {
    db.close()
    throw error
  }
}

function wrap(db: DatabaseSync): StateStore {
  const sql = {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    covered: db.prepare('SELECT seq FROM covered'),
    cover: db.prepare('UPDATE covered SET seq = ?'),
    account: db.prepare(`${ACCOUNT} FROM account LEFT JOIN repo ON account = id WHERE did = ?`),
    listAccounts: db.prepare(
      `${ACCOUNT} FROM account JOIN repo ON account = id WHERE id > ? AND NOT deleted ORDER BY id LIMIT ? + 0`,
    ),
    // A row that says the same again is not written again: most commits change nothing but the repository.
    putAccount: db.prepare(`
      INSERT INTO account (did, host, upstream_active, upstream_status, local_status) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (did) DO UPDATE SET host = excluded.host, upstream_active = excluded.upstream_active,
        upstream_status = excluded.upstream_status, local_status = excluded.local_status
      WHERE host <> excluded.host OR upstream_active <> excluded.upstream_active
        OR upstream_status IS NOT excluded.upstream_status OR local_status <> excluded.local_status`),
    putRepo: db.prepare(`
      INSERT INTO repo (account, rev, data, head) SELECT id, ?, ?, ? FROM account WHERE did = ?
      ON CONFLICT (account) DO UPDATE SET rev = excluded.rev, data = excluded.data, head = excluded.head`),
    putProgress: db.prepare('UPDATE host SET cursor = ?, finished = ? WHERE hostname = ?'),
    host: db.prepare('SELECT * FROM host WHERE hostname = ?'),
    listHosts: db.prepare('SELECT * FROM host WHERE id > ? ORDER BY id LIMIT ? + 0'),
    addHost: db.prepare(
      'INSERT INTO host (hostname, status, added_at) VALUES (?, ?, ?) ON CONFLICT (hostname) DO NOTHING',
    ),
    setHostStatus: db.prepare('UPDATE host SET status = ? WHERE hostname = ?'),
    restartHost: db.prepare(
      `UPDATE host SET cursor = 0, finished = '[]', status = 'idle' WHERE hostname = ?`,
    ),
    countHosts: db.prepare('SELECT count(*) AS count FROM host WHERE added_at >= ?'),
  }

  function transaction(work: () => void): void {
    sql.begin.run()
    try {
      work()
      sql.commit.run()
    } catch (error) {
      // A full disk makes SQLite roll back by itself; a second ROLLBACK would hide the first error.
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  /** For what no log brings back: waits for the disk. */
  function durably(work: () => void): void {
    db.exec('PRAGMA synchronous = FULL')
    try {
      transaction(work)
    } finally {
      db.exec('PRAGMA synchronous = NORMAL')
    }
  }

  return {
    get covered() {
      return Number(sql.covered.get()!['seq'])
    },
    commit({ accounts, hosts, covered }) {
      transaction(() => {
        for (const { did, host, upstream, local, head } of accounts) {
          sql.putAccount.run(did, host, Number(upstream.active), upstream.status ?? null, local)
          if (head) sql.putRepo.run(head.rev, head.data.bytes, head.commit.bytes, did)
        }
        for (const { hostname, cursor, finished } of hosts)
          sql.putProgress.run(cursor, JSON.stringify(finished), hostname)
        sql.cover.run(covered)
      })
    },
    account(did) {
      const row = sql.account.get(did)
      return row && accountOf(row)
    },
    listAccounts: ({ after, limit }) =>
      sql.listAccounts.all(after, limit).map((row) => ({ ...accountOf(row), id: Number(row['id']) })),
    host(hostname) {
      const row = sql.host.get(hostname)
      return row && hostOf(row)
    },
    listHosts: ({ after = 0, limit = -1 } = {}) => sql.listHosts.all(after, limit).map(hostOf),
    addHost(hostname, status, nowMs) {
      durably(() => sql.addHost.run(hostname, status, nowMs))
    },
    setHostStatus(hostname, status) {
      sql.setHostStatus.run(status, hostname)
    },
    restartHost(hostname) {
      durably(() => sql.restartHost.run(hostname))
    },
    countHostsSince: (ms) => Number(sql.countHosts.get(ms)!['count']),
    probe() {
      sql.covered.get()
    },
    [Symbol.dispose]() {
      db.close()
    },
  }
}

function accountOf(row: Row): Account {
  const { rev, data, head, upstream_status: status } = row
  return {
    did: row['did'] as Did,
    host: row['host'] as string,
    upstream: { active: row['upstream_active'] === 1, ...(status !== null && { status: status as string }) },
    local: row['local_status'] as LocalStatus,
    ...(rev !== null && {
      head: {
        rev: rev as string,
        data: cidFromBytes(data as Uint8Array),
        commit: cidFromBytes(head as Uint8Array),
      },
    }),
  }
}

function hostOf(row: Row): Host {
  return {
    id: Number(row['id']),
    hostname: row['hostname'] as string,
    status: row['status'] as HostStatus,
    cursor: Number(row['cursor']),
    finished: JSON.parse(row['finished'] as string),
    accountCount: Number(row['account_count']),
  }
}
