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
        ['operation', 'withdrawal']
          .map(
            (table) =>
              `CREATE TRIGGER saboteur_of_${table} BEFORE INSERT ON ${table} WHEN new.seq = ${seq} BEGIN SELECT RAISE(ABORT, '${message}'); END;`,
          )
          .join(''),
      ),
    heal: () => change('DROP TRIGGER saboteur_of_operation; DROP TRIGGER saboteur_of_withdrawal'),
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true })
    },
  }
})
