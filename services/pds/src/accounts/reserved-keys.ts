import { generateKeypair, importKeypair, type Keypair } from '@imago/crypto'
import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'

/** How long a key waits for its account. */
export const RESERVED_KEY_LIFETIME_MS = 30 * 24 * 3_600_000

/**
 * Signing keys that are handed out before their account moves in, so that its DID document can name one in time. The
 * account that is made with one takes it away.
 */
export interface ReservedKeys {
  /** The key that is kept for a DID, the same for each who asks; without a DID, a new one that goes by its own name. */
  reserve(did?: Did): Promise<Keypair>
  /** The key that is kept for the DID, or else the one of this name. */
  find(did: Did, didKey: string | undefined): Promise<Keypair | undefined>
  /** Forgets those that nobody came for. Returns how many went. */
  prune(): Promise<number>
}

interface Row {
  signing_key: Uint8Array
}

export function createSqliteReservedKeys(database: Database, now: () => number): ReservedKeys {
  const { sqlite } = database
  const insert = sqlite.prepare(
    'INSERT OR IGNORE INTO reserved_key (name, signing_key, reserved_at) VALUES (?, ?, ?)',
  )
  const select = sqlite.prepare('SELECT signing_key FROM reserved_key WHERE name = ?')
  const deleteOld = sqlite.prepare('DELETE FROM reserved_key WHERE reserved_at < ?')
  const find = (name: string) => {
    const row = select.get(name) as Row | undefined
    return row && importKeypair('k256', row.signing_key)
  }
  return {
    async reserve(did) {
      const known = did && find(did)
      if (known !== undefined) return known
      const keypair = generateKeypair('k256')
      database.transaction(() => insert.run(did ?? keypair.didKey, keypair.exportSecret(), now()))
      return keypair
    },
    find: async (did, didKey) => find(did) ?? (didKey === undefined ? undefined : find(didKey)),
    prune: async () =>
      Number(database.transaction(() => deleteOld.run(now() - RESERVED_KEY_LIFETIME_MS).changes)),
  }
}
