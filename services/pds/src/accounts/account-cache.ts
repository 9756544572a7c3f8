import type { Did } from '@imago/syntax'
import type { Database } from '../database/database.ts'
import type { Account, AccountStore } from './account-store.ts'

/** About 4 MB of accounts: as many as are busy at a time on a large host. */
const MAX_ACCOUNTS = 10_000

/** Whatever an {@link Account} is made of. Triggers are of this connection only: nothing of them is in the file. */
const TRIGGERS = `
  CREATE TEMP TRIGGER account_updated AFTER UPDATE ON account BEGIN SELECT forget_account(OLD.did); END;
  CREATE TEMP TRIGGER account_deleted AFTER DELETE ON account BEGIN SELECT forget_account(OLD.did); END;
  CREATE TEMP TRIGGER status_updated AFTER UPDATE OF did, status ON repo BEGIN SELECT forget_account(OLD.did); END;
  CREATE TEMP TRIGGER repo_deleted AFTER DELETE ON repo BEGIN SELECT forget_account(OLD.did); END;
`

/**
 * The same accounts, of which those that were asked for lately by DID are remembered: every authenticated call asks.
 *
 * SQLite itself tells of every row that changes, by whatever statement, so that no writer has to think of this. A row
 * that an open transaction may still take back is not remembered.
 */
export function withAccountCache(accounts: AccountStore, { sqlite }: Database): AccountStore {
  // In order of last use, the oldest first.
  const known = new Map<Did, Account>()
  let changes = 0
  sqlite.function('forget_account', (did) => {
    changes++
    known.delete(did as Did)
    return null
  })
  sqlite.exec(TRIGGERS)

  function remember(account: Account): void {
    if (known.size >= MAX_ACCOUNTS) known.delete(known.keys().next().value!)
    known.set(account.did, account)
  }

  return {
    ...accounts,
    async get(did) {
      const found = known.get(did)
      if (found !== undefined) {
        known.delete(did)
        known.set(did, found)
        return found
      }
      const before = changes
      const isSettled = !sqlite.isTransaction
      const account = await accounts.get(did)
      // What changed while it was read may have been read before.
      if (account !== undefined && isSettled && changes === before) remember(account)
      return account
    },
  }
}
