import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, judgeOperation, operationCid, updateOperation } from '@imago/identity/plc'
import { openSqlitePlcStore } from './sqlite-plc-store.ts'

/** As the first release wrote it: names as text. */
const FIRST_SCHEMA = `
  CREATE TABLE operation (
    seq INTEGER PRIMARY KEY, did TEXT NOT NULL, cid TEXT NOT NULL, json TEXT NOT NULL, signer INTEGER NOT NULL,
    nullified INTEGER NOT NULL DEFAULT 0 CHECK (nullified IN (0, 1)), created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX operation_by_did ON operation (did, seq);
  CREATE UNIQUE INDEX operation_by_time ON operation (created_at, seq);
  PRAGMA user_version = 1`

test('[PLC-35] a database of the first release goes on with everything that it had', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-plc-'))
  try {
    const databaseFile = join(folder, 'plc.sqlite')
    const [strong, weak] = [generateKeypair('k256'), generateKeypair('p256')]
    const rotationKeys = [strong.didKey, weak.didKey]
    const { did, operation: genesis } = createGenesis(
      { rotationKeys, verificationMethods: {}, alsoKnownAs: ['at://a.test'], services: {} },
      strong,
    )
    const stolen = updateOperation(genesis, { alsoKnownAs: ['at://stolen.test'] }, weak)
    const current = updateOperation(genesis, { alsoKnownAs: ['at://b.test'] }, strong)
    {
      using db = new DatabaseSync(databaseFile)
      db.exec(FIRST_SCHEMA)
      const insert = db.prepare('INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?, ?)')
      for (const [i, operation] of [genesis, stolen, current].entries())
        insert.run(
          i + 1,
          did,
          operationCid(operation).toString(),
          JSON.stringify(operation),
          operation === stolen ? 1 : 0,
          operation === stolen ? 1 : 0,
          1000 + i,
        )
    }
    await using store = openSqlitePlcStore({ databaseFile, now: () => 5000 })
    const stored = await store.operations(did)
    assert.deepEqual(
      stored.map((one) => ({ ...one, json: JSON.parse(one.json) })),
      [genesis, stolen, current].map((operation, i) => ({
        seq: i + 1,
        did,
        cid: operationCid(operation).toString(),
        json: operation,
        nullified: operation === stolen,
        createdAt: 1000 + i,
      })),
    )
    assert.equal((await store.head(did))?.seq, 3)
    assert.deepEqual(
      (await store.page({ time: 1000 }, 10)).map(({ seq }) => seq),
      [2, 3],
    )
    const next = updateOperation(current, { alsoKnownAs: ['at://c.test'] }, weak)
    const { seq } = await store.commit(did, ({ log, createdAt }) => ({
      kind: 'accept',
      verdict: judgeOperation(log, next, createdAt),
    }))
    assert.equal(seq, 4)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
