import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { plcStoreContract } from './plc-store.contract.ts'
import { openSqlitePlcStore } from './sqlite-plc-store.ts'

plcStoreContract('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-plc-'))
  const databaseFile = join(folder, 'plc.sqlite')
  const change = async (sql: string) => {
    const db = new DatabaseSync(databaseFile)
    db.exec(sql)
    db.close()
  }
  return {
    open: async (options) => openSqlitePlcStore({ ...options, databaseFile }),
    failAt: (seq, message) =>
      change(
        `CREATE TRIGGER saboteur BEFORE INSERT ON operation WHEN new.seq = ${seq} BEGIN SELECT RAISE(ABORT, '${message}'); END`,
      ),
    heal: () => change('DROP TRIGGER saboteur'),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true })
    },
  }
})
