import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { createPlc } from './create-plc.ts'
import { DatabaseInUseError } from './database-lock.ts'

test('a database has one directory: a second one would tell what the first has changed since', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plc-lock-'))
  const databaseFile = join(folder, 'plc.sqlite')
  try {
    {
      await using _plc = await createPlc({ databaseFile })
      await assert.rejects(createPlc({ databaseFile }), (error) => {
        assert.ok(error instanceof DatabaseInUseError)
        assert.equal(
          error.message,
          `${databaseFile} is in use by another process: stop it first, or set PLC_DATABASE_FILE to another file`,
        )
        return true
      })
    }
    await (await createPlc({ databaseFile }))[Symbol.asyncDispose]()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a folder that cannot be written to is an error of its own', async () => {
  await assert.rejects(
    createPlc({ databaseFile: '/dev/null/plc.sqlite' }),
    (error) => !(error instanceof DatabaseInUseError),
  )
})
