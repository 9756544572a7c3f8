import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { CliError, EXIT } from '../cli-error.ts'
import { defaultDataPath, openDataFolder, removeNetwork } from './data-folder.ts'

function inTemporaryFolder(body: (folder: string) => void): () => void {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'imago-data-'))
    try {
      body(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

let calls = 0
const randomBytes = (length: number) => new Uint8Array(length).fill(++calls)
const open = (path: string, portOffset = 0) => openDataFolder({ path, portOffset, randomBytes })

test(
  'secrets are made once, and only their owner can read them',
  inTemporaryFolder((folder) => {
    const path = join(folder, 'new')
    const first = open(path)
    const { jwtSecret, adminPassword, plcRotationKey } = first.identity
    assert.equal(new Set([jwtSecret, adminPassword, plcRotationKey]).size, 3)
    for (const secret of [jwtSecret, adminPassword, plcRotationKey]) assert.match(secret, /^[0-9a-f]{64}$/)
    assert.equal(statSync(join(path, 'network.json')).mode & 0o777, 0o600)
    assert.equal(statSync(path).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(path), ['network.json'])
    assert.deepEqual(open(path), first)
  }),
)

test(
  'a network stays on its ports: another offset is refused, with the way out',
  inTemporaryFolder((folder) => {
    open(folder, 1000)
    assert.throws(
      () => open(folder, 0),
      (error) =>
        error instanceof CliError &&
        error.exitCode === EXIT.usage &&
        /port offset 1000, not 0/.test(error.message) &&
        /--port-offset 1000/.test(error.message),
    )
  }),
)

test(
  'a damaged file of secrets stops the start, and is not replaced',
  inTemporaryFolder((folder) => {
    for (const text of ['', '{', '{}', 'null', '{"portOffset":0,"jwtSecret":"short"}']) {
      writeFileSync(join(folder, 'network.json'), text)
      assert.throws(() => open(folder), /network\.json is damaged/)
      assert.equal(statSync(join(folder, 'network.json')).size, text.length)
    }
  }),
)

test(
  'beginning anew removes what is ours, and nothing else',
  inTemporaryFolder((folder) => {
    open(folder)
    for (const name of ['pds', 'relay', 'mine']) mkdirSync(join(folder, name))
    const removed = removeNetwork(folder)
    assert.deepEqual(removed, [join(folder, 'pds'), join(folder, 'relay'), join(folder, 'network.json')])
    assert.deepEqual(readdirSync(folder), ['mine'])
    assert.deepEqual(removeNetwork(folder), [])
  }),
)

test(
  'a folder of somebody else is neither used nor cleared',
  inTemporaryFolder((folder) => {
    mkdirSync(join(folder, 'pds'))
    assert.throws(() => open(folder), /holds pds but no network\.json/)
    assert.throws(() => removeNetwork(folder), /holds pds but no network\.json/)
    assert.deepEqual(readdirSync(folder), ['pds'])
  }),
)

test('networks on other ports have data of their own', () => {
  assert.equal(defaultDataPath(0), 'data')
  assert.equal(defaultDataPath(1000), join('data', 'port-offset-1000'))
})
