import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { generateKeypair } from '@imago/crypto'
import { createGenesis } from '@imago/identity/plc'
import { loadConfig } from '@imago/service'
import { plcConfig, plcOptionsOf } from './config.ts'
import { openSqlitePlcStore } from './lib/store/sqlite-plc-store.ts'

const keypair = generateKeypair('k256')
const genesisOf = (name: string) =>
  createGenesis(
    { rotationKeys: [keypair.didKey], verificationMethods: {}, alsoKnownAs: [name], services: {} },
    keypair,
  )

function start(env: Record<string, string>) {
  return spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('[PLC-10] whatever was answered survives kill -9 in the midst of a storm', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-plc-'))
  const databaseFile = join(folder, 'new', 'plc.sqlite')
  const child = start({ PORT: '0', PLC_HOSTNAME: '127.0.0.1', PLC_DATABASE_FILE: databaseFile })
  try {
    let url: string | undefined
    for await (const line of createInterface(child.stdout)) {
      url = (JSON.parse(line) as { url?: string }).url
      if (url !== undefined) break
    }
    const answered: string[] = []
    const failures: unknown[] = []
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const { did, operation } = genesisOf(`n${i}`)
        try {
          const response = await fetch(`${url}/${did}`, {
            method: 'POST',
            body: JSON.stringify(operation),
            headers: { 'content-type': 'application/json' },
          })
          if (response.status !== 200) failures.push(await response.text())
          else if (answered.push(did) === 30) child.kill('SIGKILL')
        } catch {
          // The process was gone: this one was promised nothing.
        }
      }),
    )
    assert.deepEqual(failures, [])
    assert.ok(answered.length >= 30)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')

    await using store = openSqlitePlcStore({ databaseFile, now: Date.now })
    for (const did of answered) assert.ok(await store.head(did), did)
    const seqs = (await store.page({ seq: 0 }, 1000)).map(({ seq }) => seq)
    assert.deepEqual(
      seqs,
      seqs.map((_, i) => i + 1),
    )
  } finally {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
})

test('a file that a setting names and that is not there is said to be that of the setting', () => {
  const options = (setting: string) => plcOptionsOf(loadConfig(plcConfig, { [setting]: '/none' }))
  assert.throws(
    () => options('PLC_ADMIN_SECRET_FILE'),
    /PLC_ADMIN_SECRET_FILE is \/none, which cannot be read: ENOENT/,
  )
})
