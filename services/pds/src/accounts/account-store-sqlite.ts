import type { LogEntry, NewEntry } from '@imago/log'
import type { SqliteLog } from '@imago/log/sqlite'
import type { Did, Handle } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { RepoStatus } from '../repos/repo-store.ts'
import type { SqliteRepoStore } from '../repos/repo-store-sqlite.ts'
import type { Account, AccountConflict, AccountStore } from './account-store.ts'

interface Row {
  did: Did
  handle: Handle
  email: string | null
  email_confirmed_at: number | null
  created_at: number
  status: RepoStatus | null
}

interface AppPasswordRow {
  name: string
  privileged: number
  password_hash: string
}

const ACCOUNT = `SELECT account.did, handle, email, email_confirmed_at, created_at, status
  FROM account JOIN repo ON repo.did = account.did`

/**
 * Accounts in the service's own file, beside their repositories.
 * @param onPurged told that the earlier events of a DID are gone, before the event that says so is announced.
 */
export function createSqliteAccountStore(
  database: Database,
  log: SqliteLog,
  repos: SqliteRepoStore,
  onPurged: (did: Did) => void,
): AccountStore {
  const { sqlite } = database
  const selectByDid = sqlite.prepare(`${ACCOUNT} WHERE account.did = ?`)
  const selectByHandle = sqlite.prepare(`${ACCOUNT} WHERE handle = ?`)
  const selectByEmail = sqlite.prepare(`${ACCOUNT} WHERE email = ?`)
  const selectPassword = sqlite.prepare('SELECT password_hash FROM account WHERE did = ?')
  const selectAppPasswords = sqlite.prepare(
    'SELECT name, privileged, password_hash FROM app_password WHERE did = ? ORDER BY name',
  )
  const conflict = sqlite.prepare(
    `SELECT CASE WHEN did = ?1 THEN 'did' WHEN handle = ?2 THEN 'handle' ELSE 'email' END AS conflict
      FROM account WHERE did = ?1 OR handle = ?2 OR email = ?3 ORDER BY conflict LIMIT 1`,
  )
  const insert = sqlite.prepare(
    `INSERT INTO account (did, handle, email, password_hash, created_at, deactivated_at, delete_after)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  const conflictOfRevived = sqlite.prepare(
    `SELECT CASE WHEN handle = ?2 THEN 'handle' ELSE 'email' END AS conflict
      FROM account WHERE did <> ?1 AND (handle = ?2 OR email = ?3) ORDER BY conflict DESC LIMIT 1`,
  )
  const revive = sqlite.prepare(
    `UPDATE account SET handle = ?2, email = ?3, password_hash = ?4, delete_after = max(delete_after, ?5),
      email_confirmed_at = CASE WHEN email = ?3 THEN email_confirmed_at END WHERE did = ?1`,
  )
  const endSessions = ['refresh_token', 'app_password'].map((table) =>
    sqlite.prepare(`DELETE FROM ${table} WHERE did = ?`),
  )
  const consumeKey = sqlite.prepare('DELETE FROM reserved_key WHERE signing_key = ?')
  const selectExpired = sqlite.prepare(
    `SELECT account.did, deactivated_at = created_at AS unknown FROM account JOIN repo ON repo.did = account.did
      WHERE delete_after < ? AND status = 'deactivated' LIMIT ? + 0`,
  )
  const isExpired = sqlite.prepare(
    `SELECT 1 FROM account JOIN repo ON repo.did = account.did
      WHERE account.did = ? AND delete_after < ? AND status = 'deactivated'`,
  )
  const setDeactivated = sqlite.prepare(
    // One that begins deactivated is so since it exists: any other, since later.
    'UPDATE account SET deactivated_at = max(?, created_at + 1), delete_after = ? WHERE did = ?',
  )
  const setDeleteAfter = sqlite.prepare(
    `UPDATE account SET delete_after = CASE WHEN deactivated_at = created_at
      THEN ifnull(?1, delete_after) ELSE ?1 END WHERE did = ?2`,
  )
  const deleteAccount = sqlite.prepare('DELETE FROM account WHERE did = ?')
  const deleteOwn = ['refresh_token', 'app_password', 'email_token', 'preference', 'adopted'].map((table) =>
    sqlite.prepare(`DELETE FROM ${table} WHERE did = ?`),
  )

  /** Runs `work`; when it says yes, appends the events in the same transaction and announces them after it. */
  function changeAndTell(
    events: readonly NewEntry[],
    work: () => boolean,
    beforeTelling?: () => void,
  ): boolean {
    let entries: readonly LogEntry[] = []
    const done = database.transaction(() => {
      if (!work()) return false
      entries = log.appendInTransaction(events)
      return true
    })
    if (done) beforeTelling?.()
    log.publish(entries)
    return done
  }

  const find = (row: unknown): Account | undefined => (row === undefined ? undefined : accountOf(row as Row))
  const get = (did: Did) => find(selectByDid.get(did))

  return {
    get: async (did) => get(did),
    byHandle: async (handle) => find(selectByHandle.get(handle)),
    byEmail: async (email) => find(selectByEmail.get(email)),

    async passwordHash(did) {
      return (selectPassword.get(did) as { password_hash: string } | undefined)?.password_hash
    },

    async appPasswords(did) {
      const rows = selectAppPasswords.all(did) as unknown as AppPasswordRow[]
      return rows.map((row) => ({
        name: row.name,
        privileged: row.privileged === 1,
        hash: row.password_hash,
      }))
    },

    async create({ did, handle, email = null, passwordHash, createdAt, deleteAfter, repo, events }) {
      let found: AccountConflict | undefined
      changeAndTell(events, () => {
        found = (conflict.get(did, handle, email) as { conflict: AccountConflict } | undefined)?.conflict
        if (found !== undefined) return false
        const deactivatedAt = repo.status === 'deactivated' ? createdAt : null
        insert.run(did, handle, email, passwordHash, createdAt, deactivatedAt, deleteAfter ?? null)
        consumeKey.run(repo.signingKey)
        repos.insertInTransaction(repo)
        return true
      })
      return found
    },

    async revive({ did, handle, email = null, passwordHash, deleteAfter }) {
      return database.transaction(() => {
        if (get(did)?.status !== 'deactivated') return 'did'
        const found = conflictOfRevived.get(did, handle, email) as { conflict: AccountConflict } | undefined
        if (found !== undefined) return found.conflict
        revive.run(did, handle, email, passwordHash, deleteAfter)
        for (const statement of endSessions) statement.run(did)
        return undefined
      })
    },

    async announce(events) {
      changeAndTell(events, () => true)
    },

    async listExpired(before, limit) {
      const rows = selectExpired.all(before, limit) as unknown as { did: Did; unknown: number }[]
      return rows.map(({ did, unknown }) => ({ did, isUnknown: unknown === 1 }))
    },

    async deactivate(did, at, deleteAfter, events) {
      if (get(did)?.status === 'deactivated')
        return database.transaction(() => setDeleteAfter.run(deleteAfter ?? null, did).changes > 0)
      return changeAndTell(events, () => {
        const account = get(did)
        if (account === undefined || account.status !== undefined) return false
        setDeactivated.run(at, deleteAfter ?? null, did)
        repos.setStatusInTransaction(did, 'deactivated')
        return true
      })
    },

    async activate(did, events) {
      return changeAndTell(events, () => {
        if (get(did)?.status !== 'deactivated') return false
        setDeactivated.run(null, null, did)
        repos.setStatusInTransaction(did, undefined)
        return true
      })
    },

    async remove(did, events, ifExpiredBefore) {
      const remove = () => {
        if (ifExpiredBefore !== undefined && isExpired.get(did, ifExpiredBefore) === undefined) return false
        if (deleteAccount.run(did).changes === 0) return false
        for (const statement of deleteOwn) statement.run(did)
        repos.removeInTransaction(did)
        log.removeKey(did)
        return true
      }
      return changeAndTell(events, remove, () => onPurged(did))
    },
  }
}

function accountOf(row: Row): Account {
  return {
    did: row.did,
    handle: row.handle,
    email: row.email ?? undefined,
    emailConfirmedAt: row.email_confirmed_at ?? undefined,
    createdAt: row.created_at,
    status: row.status ?? undefined,
  }
}
