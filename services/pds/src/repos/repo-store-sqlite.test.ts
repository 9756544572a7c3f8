import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cidOfRaw } from '@imago/data'
import type { LogEntry } from '@imago/log'
import { openSqliteLog } from '@imago/log/sqlite'
import { createSqliteBlobIndex } from '../blobs/blob-index-sqlite.ts'
import { openDatabase } from '../database/database.ts'
import { repoStoreContract } from './repo-store.contract.ts'
import { createSqliteRepoStore } from './repo-store-sqlite.ts'

repoStoreContract('SQLite repositories', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pds-repos-'))
  const database = openDatabase(join(folder, 'pds.sqlite'))
  const log = openSqliteLog(database.sqlite, { table: 'event', now: () => 0 })
  const store = createSqliteRepoStore(database, log)
  const blobs = createSqliteBlobIndex(database, store)
  const announced: LogEntry[] = []
  log.subscribe((entries) => announced.push(...entries))
  return {
    store,
    announced,
    insert: (repo) => database.transaction(() => store.insertInTransaction(repo)),
    setStatus: (did, status) => database.transaction(() => store.setStatusInTransaction(did, status)),
    async addBlob(did, bytes) {
      const blob = { cid: cidOfRaw(bytes), mimeType: 'x/y', size: bytes.length, createdAt: 0 }
      assert.ok((await blobs.add(did, blob, { maxCount: 99, maxBytes: 99_999 })).ok)
    },
    isTemporary: async (did, bytes) => (await blobs.get(did, cidOfRaw(bytes)))?.temporary,
    takeDown(did, path) {
      const insert = database.sqlite.prepare('INSERT INTO record_takedown (repo, path, ref) VALUES (?, ?, ?)')
      insert.run(store.idOf(did)!, path, 'spam')
    },
    events: () => log.read(0),
    breakAt(path) {
      let fired = 0
      database.sqlite.function('fault', () => {
        fired++
        throw new Error('injected: the disk is full')
      })
      database.sqlite.exec(
        `CREATE TRIGGER broken BEFORE INSERT ON record WHEN NEW.path = '${path}' BEGIN SELECT fault(); END`,
      )
      return () => fired
    },
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]()
      database[Symbol.dispose]()
      rmSync(folder, { recursive: true })
    },
  }
})
