import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { RefreshTokenStore } from './refresh-token-store.ts'

interface Row {
  did: Did
  expires_at: number
  next_id: string | null
}

/** Refresh tokens in the table `refresh_token`. */
export function createSqliteRefreshTokenStore(database: Database): RefreshTokenStore {
  const { sqlite } = database
  const select = sqlite.prepare('SELECT did, expires_at, next_id FROM refresh_token WHERE id = ?')
  const insert = sqlite.prepare('INSERT INTO refresh_token (id, did, expires_at) VALUES (?, ?, ?)')
  const succeed = sqlite.prepare('UPDATE refresh_token SET next_id = ?, expires_at = ? WHERE id = ?')
  const remove = sqlite.prepare('DELETE FROM refresh_token WHERE id = ? RETURNING next_id')
  const removeExpired = sqlite.prepare('DELETE FROM refresh_token WHERE did = ? AND expires_at <= ?')
  const removeAll = sqlite.prepare('DELETE FROM refresh_token WHERE did = ?')
  const find = (id: string) => select.get(id) as unknown as Row | undefined

  return {
    async add({ id, did, expiresAt }) {
      database.transaction(() => insert.run(id, did, expiresAt))
    },

    async rotate(id, next, { now, graceUntil }) {
      return database.transaction(() => {
        const token = find(id)
        if (token === undefined || token.expires_at <= now) return undefined
        if (token.next_id !== null) {
          const successor = find(token.next_id)
          return successor && { id: token.next_id, did: token.did, expiresAt: successor.expires_at }
        }
        removeExpired.run(token.did, now)
        insert.run(next.id, token.did, next.expiresAt)
        succeed.run(next.id, Math.min(token.expires_at, graceUntil), id)
        return { id: next.id, did: token.did, expiresAt: next.expiresAt }
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
