import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, judgeOperation, type Operation, updateOperation } from '@imago/identity/plc'
import type { PlcStore } from './plc-store.ts'
import { openSqlitePlcStore } from './sqlite-plc-store.ts'

const strong = generateKeypair('k256')
const weak = generateKeypair('p256')
const genesisOf = (name: string) =>
  createGenesis(
    {
      rotationKeys: [strong.didKey, weak.didKey],
      verificationMethods: {},
      alsoKnownAs: [name],
      services: {},
    },
    weak,
  )
const commit = (store: PlcStore, did: Parameters<PlcStore['commit']>[0], operation: Operation) =>
  store.commit(did, ({ log, createdAt }) => ({
    kind: 'accept',
    verdict: judgeOperation(log, operation, createdAt),
  }))

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
      await commit(store, did, operation)
      await commit(store, did, updateOperation(operation, { alsoKnownAs: ['b'] }, weak))
    }
    await using store = openSqlitePlcStore({ databaseFile, now: () => 1000 })
    // Only a log that has kept who signed what knows that the weak key may not undo its own operation.
    await assert.rejects(commit(store, did, updateOperation(operation, { alsoKnownAs: ['c'] }, weak)), {
      code: 'StalePrev',
    })
    const receipt = await commit(store, did, updateOperation(operation, { alsoKnownAs: ['d'] }, strong))
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
      return name === 'b' ? store.commit(did, () => assert.fail('no')) : commit(store, did, operation)
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
      commit(store, a.did, a.operation),
      commit(store, b.did, b.operation),
    ])
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected')
      assert.match(String(outcome.reason), /disk full/)
    }
    assert.equal(await store.latest(), undefined)
    saboteur.exec('DROP TRIGGER full')
    saboteur.close()
    assert.equal((await commit(store, a.did, a.operation)).seq, 1)
    assert.equal((await commit(store, b.did, b.operation)).seq, 2)
  }))

test('a database of a newer version is left alone', () =>
  inFolder(async (databaseFile) => {
    const db = new DatabaseSync(databaseFile)
    db.exec('PRAGMA user_version = 99')
    db.close()
    assert.throws(() => openSqlitePlcStore({ databaseFile, now: () => 0 }), /schema 99/)
  }))
