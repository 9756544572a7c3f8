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
  const conflict = sqlite.prepare(
    `SELECT CASE WHEN did = ?1 THEN 'did' WHEN handle = ?2 THEN 'handle' ELSE 'email' END AS conflict
      FROM account WHERE did = ?1 OR handle = ?2 OR email = ?3 ORDER BY conflict LIMIT 1`,
  )
  const insert = sqlite.prepare(
    'INSERT INTO account (did, handle, email, password_hash, created_at) VALUES (?, ?, ?, ?, ?)',
  )
  const setDeactivated = sqlite.prepare(
    'UPDATE account SET deactivated_at = ?, delete_after = ? WHERE did = ?',
  )
  const deleteAccount = sqlite.prepare('DELETE FROM account WHERE did = ?')
  const deleteTokens = sqlite.prepare('DELETE FROM refresh_token WHERE did = ?')

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

    async create({ did, handle, email = null, passwordHash, createdAt, repo, events }) {
      let found: AccountConflict | undefined
      changeAndTell(events, () => {
        found = (conflict.get(did, handle, email) as { conflict: AccountConflict } | undefined)?.conflict
        if (found !== undefined) return false
        insert.run(did, handle, email, passwordHash, createdAt)
        repos.insertInTransaction(repo)
        return true
      })
      return found
    },

    async deactivate(did, at, deleteAfter, events) {
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

    async remove(did, events) {
      const remove = () => {
        if (deleteAccount.run(did).changes === 0) return false
        deleteTokens.run(did)
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
