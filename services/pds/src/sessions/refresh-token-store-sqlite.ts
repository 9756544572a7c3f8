import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { AppPassword, RefreshTokenStore } from './refresh-token-store.ts'

interface Row {
  did: Did
  expires_at: number
  next_id: string | null
  app_password: string | null
  /** Of the app password; NULL when it is gone, or there was none. */
  privileged: number | null
}

/** Refresh tokens in the table `refresh_token`. */
export function createSqliteRefreshTokenStore(database: Database): RefreshTokenStore {
  const { sqlite } = database
  const select = sqlite.prepare(
    `SELECT refresh_token.did, expires_at, next_id, app_password, privileged FROM refresh_token
      LEFT JOIN app_password ON app_password.did = refresh_token.did AND name = app_password
      WHERE id = ?`,
  )
  const insert = sqlite.prepare(
    'INSERT INTO refresh_token (id, did, expires_at, app_password) VALUES (?, ?, ?, ?)',
  )
  const succeed = sqlite.prepare('UPDATE refresh_token SET next_id = ?, expires_at = ? WHERE id = ?')
  const remove = sqlite.prepare('DELETE FROM refresh_token WHERE id = ? RETURNING next_id')
  const removeExpired = sqlite.prepare('DELETE FROM refresh_token WHERE did = ? AND expires_at <= ?')
  const removeAll = sqlite.prepare('DELETE FROM refresh_token WHERE did = ?')
  const find = (id: string) => select.get(id) as unknown as Row | undefined

  return {
    async add({ id, did, expiresAt, appPassword }) {
      database.transaction(() => insert.run(id, did, expiresAt, appPassword?.name ?? null))
    },

    async rotate(id, next, { now, graceUntil }) {
      return database.transaction(() => {
        const token = find(id)
        if (token === undefined || token.expires_at <= now) return undefined
        const { did, app_password: name, privileged } = token
        if (name !== null && privileged === null) return undefined
        const appPassword: AppPassword | undefined =
          name === null ? undefined : { name, privileged: privileged === 1 }
        if (token.next_id !== null) {
          const successor = find(token.next_id)
          return successor && { id: token.next_id, did, expiresAt: successor.expires_at, appPassword }
        }
        removeExpired.run(did, now)
        insert.run(next.id, did, next.expiresAt, name)
        succeed.run(next.id, Math.min(token.expires_at, graceUntil), id)
        return { id: next.id, did, expiresAt: next.expiresAt, appPassword }
      })
    },

    async remove(id) {
      database.transaction(() => {
        for (let current: string | null | undefined = id; current; )
          current = (remove.get(current) as { next_id: string | null } | undefined)?.next_id
      })
    },

    async removeAll(did) {
      database.transaction(() => removeAll.run(did))
    },
  }
}
