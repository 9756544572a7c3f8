import assert from 'node:assert/strict'
import test from 'node:test'
import { openSqliteLog } from '@imago/log/sqlite'
import type { Did } from '@imago/syntax'
import { openDatabase } from '../database/database.ts'
import { createSqliteRepoStore } from '../repos/repo-store-sqlite.ts'
import { createSqliteAccountStore } from './account-store-sqlite.ts'
import { removeExpiredAccounts } from './expired-accounts.ts'

test('[S11] an account whose owner comes back while others are removed stays', async () => {
  using database = openDatabase(':memory:')
  await using log = openSqliteLog(database.sqlite, { table: 'event', now: () => 0 })
  const accounts = createSqliteAccountStore(database, log, createSqliteRepoStore(database, log), () => {})
  const dids: Did[] = ['did:plc:alice', 'did:plc:bob', 'did:plc:carol']
  for (const did of dids) {
    database.sqlite.exec(`
      INSERT INTO account (did, handle, password_hash, created_at, deactivated_at, delete_after)
        VALUES ('${did}', '${did}', '', 0, 1, 2);
      INSERT INTO repo (did, head, rev, data, commit_bytes, signing_key, status)
        VALUES ('${did}', x'', '', x'', x'', x'', 'deactivated');`)
  }
  const cleared: Did[] = []
  const removed = await removeExpiredAccounts({
    accounts,
    blobs: {
      async removeAll(did) {
        cleared.push(did)
        await accounts.activate('did:plc:bob', [])
      },
    },
    now: () => 3,
  })
  assert.deepEqual([removed, cleared], [2, ['did:plc:alice', 'did:plc:carol']])
  assert.equal((await accounts.get('did:plc:bob'))?.status, undefined)
  assert.ok(await accounts.get('did:plc:bob'))
})
