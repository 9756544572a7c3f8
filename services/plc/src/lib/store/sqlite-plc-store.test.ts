import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { genesisOf, rename, strong, take } from './contract/plc-store.fixture.ts'
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

async function inFolder(body: (databaseFile: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-plc-'))
  try {
    await body(join(folder, 'plc.sqlite'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('[PLC-35] what was committed is there after the store is opened again, forks included', () =>
  inFolder(async (databaseFile) => {
    const { did, operation } = genesisOf('a')
    {
      await using store = openSqlitePlcStore({ databaseFile, now: () => 1000 })
      await take(store, did, operation)
      await take(store, did, rename(operation, 'b'))
    }
    await using store = openSqlitePlcStore({ databaseFile, now: () => 1000 })
    // Only a log that has kept who signed what knows that the weak key may not undo its own operation.
    await assert.rejects(take(store, did, rename(operation, 'c')), {
      code: 'StalePrev',
    })
    const receipt = await take(store, did, rename(operation, 'd', strong))
    assert.equal(receipt.seq, 3)
    assert.equal(receipt.createdAt, 1002)
    assert.deepEqual(
      (await store.operations(did)).map(({ nullified }) => nullified),
      [false, true, false],
    )
    assert.equal((await store.head(did))?.seq, 3)
  }))

test('a refused submission costs the others of its batch nothing', async () => {
  await using store = openSqlitePlcStore({ databaseFile: ':memory:', now: () => 1000 })
  const outcomes = await Promise.allSettled(
    ['a', 'b', 'c'].map((name) => {
      const { did, operation } = genesisOf(name)
      return name === 'b' ? store.commit(did, () => assert.fail('no')) : take(store, did, operation)
    }),
  )
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.seq : outcome.status)),
    [1, 'rejected', 2],
  )
})

test('after a failed transaction memory holds no more than the disk', () =>
  inFolder(async (databaseFile) => {
    await using store = openSqlitePlcStore({ databaseFile, now: () => 1000 })
    const saboteur = new DatabaseSync(databaseFile)
    saboteur.exec(
      "CREATE TRIGGER full BEFORE INSERT ON operation WHEN new.seq = 2 BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    const [a, b] = [genesisOf('a'), genesisOf('b')]
    const outcomes = await Promise.allSettled([
      take(store, a.did, a.operation),
      take(store, b.did, b.operation),
    ])
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected')
      assert.match(String(outcome.reason), /disk full/)
    }
    assert.equal(await store.latest(), undefined)
    saboteur.exec('DROP TRIGGER full')
    saboteur.close()
    assert.equal((await take(store, a.did, a.operation)).seq, 1)
    assert.equal((await take(store, b.did, b.operation)).seq, 2)
  }))

test('a database of a newer version is left alone', () =>
  inFolder(async (databaseFile) => {
    const db = new DatabaseSync(databaseFile)
    db.exec('PRAGMA user_version = 99')
    db.close()
    assert.throws(() => openSqlitePlcStore({ databaseFile, now: () => 0 }), /schema 99/)
  }))
