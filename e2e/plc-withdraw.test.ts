// An operator withdraws, by the command line, an operation that the directory never should have taken.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { createGenesis, operationCid, type PlcOperation, updateOperation } from '@imago/identity/plc'
import { openSqlitePlcStore } from '../services/plc/src/lib/store/sqlite-plc-store.ts'
import { imago } from './imago-command.ts'
import { startService } from './plc-process.ts'

test('[PLC-33] imago plc withdraw shows what falls and what holds then, and withdraws it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-withdraw-'))
  try {
    const databaseFile = join(folder, 'plc.sqlite')
    const secretFile = join(folder, 'secret')
    writeFileSync(secretFile, 'correct horse battery staple\n')
    const host = generateKeypair('k256')
    const { did, operation: genesis } = createGenesis(
      { rotationKeys: [host.didKey], verificationMethods: {}, alsoKnownAs: ['at://a.test'], services: {} },
      host,
    )
    const forged: PlcOperation = {
      ...updateOperation(genesis, { alsoKnownAs: ['at://x.test'] }, host),
      sig: genesis.sig,
    }
    {
      await using store = openSqlitePlcStore({ databaseFile, now: Date.now })
      for (const operation of [genesis, forged])
        await store.commit(did, ({ createdAt }) => ({
          kind: 'accept',
          verdict: {
            entry: { operation, cid: operationCid(operation), createdAt, signer: 0, nullified: false },
            nullified: [],
          },
        }))
    }
    await using plc = await startService('plc', {
      PLC_DATABASE_FILE: databaseFile,
      PLC_ADMIN_SECRET_FILE: secretFile,
    })
    const env = { PLC_URL: plc.url }
    const run = (cid: string, file: string, ...others: string[]) =>
      imago(['plc', 'withdraw', did, cid, '--reason', 'nobody signed it', '--secret-file', file, ...others], {
        env,
      })
    const [good, bad] = [genesis, forged].map((one) => operationCid(one).toString()) as [string, string]

    const valid = await run(good, secretFile, '--yes')
    assert.equal(valid.code, 2)
    assert.match(valid.stderr, /is valid: only what may not stand is withdrawn/)
    const unasked = await run(bad, secretFile)
    assert.equal(unasked.code, 2)
    assert.match(unasked.stdout, /InvalidSignature/)
    assert.match(unasked.stdout, /− at:\/\/x\.test\n {2}\+ at:\/\/a\.test/)
    const wrongFile = join(folder, 'wrong')
    writeFileSync(wrongFile, 'another secret altogether')
    const wrong = await run(bad, wrongFile, '--yes')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /refused the withdrawal \(401\)/)

    const done = await run(bad, secretFile, '--yes', '--json')
    assert.equal(done.code, 0, done.stderr)
    const { seq, withdrawn } = JSON.parse(done.stdout)
    assert.deepEqual([seq, withdrawn], [3, [bad]])
    assert.equal((await imago(['plc', 'verify', did], { env })).code, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
