import assert from 'node:assert/strict'
import test from 'node:test'
import type { Did, Handle } from '@imago/syntax'
import { openDatabase } from '../database/database.ts'
import { withAccountCache } from './account-cache.ts'
import type { Account, AccountStore } from './account-store.ts'

const did: Did = 'did:plc:alice'

/** A store of the one thing that the cache asks for: rows as they are, and how often they were read. */
function setUp() {
  const database = openDatabase(':memory:')
  const { sqlite } = database
  const blob = "x''"
  sqlite.exec(`
    INSERT INTO account (did, handle, password_hash, created_at) VALUES ('${did}', 'alice.test', '', 0);
    INSERT INTO repo (did, head, rev, data, commit_bytes, signing_key)
      VALUES ('${did}', ${blob}, '', ${blob}, ${blob}, ${blob});`)
  const select = sqlite.prepare(
    'SELECT handle, status FROM account JOIN repo ON repo.did = account.did WHERE account.did = ?',
  )
  let reads = 0
  const get = async (asked: Did): Promise<Account | undefined> => {
    reads++
    const row = select.get(asked) as { handle: Handle; status: Account['status'] | null } | undefined
    return (
      row && {
        did: asked,
        handle: row.handle,
        email: undefined,
        emailConfirmedAt: undefined,
        createdAt: 0,
        status: row.status ?? undefined,
      }
    )
  }
  const accounts = withAccountCache({ get } as unknown as AccountStore, database)
  return { database, sqlite, accounts, reads: () => reads }
}

test('an account is read once', async () => {
  const { accounts, reads } = setUp()
  assert.deepEqual(await accounts.get(did), await accounts.get(did))
  assert.equal(reads(), 1)
})

test('whatever statement changes an account or its repository, the next reader sees it', async () => {
  const { sqlite, accounts } = setUp()
  const changed = async (sql: string) => {
    await accounts.get(did)
    sqlite.exec(sql)
    return accounts.get(did)
  }
  assert.equal((await changed(`UPDATE account SET handle = 'bob.test'`))?.handle, 'bob.test')
  assert.equal((await changed(`UPDATE repo SET status = 'takendown'`))?.status, 'takendown')
  assert.equal((await changed(`UPDATE repo SET status = NULL WHERE did = '${did}'`))?.status, undefined)
  assert.equal(await changed('DELETE FROM account'), undefined)
})

test('a commit, which changes neither, costs no second reading', async () => {
  const { sqlite, accounts, reads } = setUp()
  await accounts.get(did)
  sqlite.exec(`UPDATE repo SET rev = '3', head = x'01'`)
  await accounts.get(did)
  assert.equal(reads(), 1)
})

test('what a transaction takes back is not remembered', async () => {
  const { sqlite, accounts } = setUp()
  sqlite.exec(`BEGIN; UPDATE account SET handle = 'mallory.test'`)
  assert.equal((await accounts.get(did))?.handle, 'mallory.test')
  sqlite.exec('ROLLBACK')
  assert.equal((await accounts.get(did))?.handle, 'alice.test')
})

test('a change between reading and remembering is not overlooked', async () => {
  const { sqlite, accounts } = setUp()
  const reading = accounts.get(did)
  sqlite.exec(`UPDATE account SET handle = 'bob.test'`)
  await reading
  assert.equal((await accounts.get(did))?.handle, 'bob.test')
})
