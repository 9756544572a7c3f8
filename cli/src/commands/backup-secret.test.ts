import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { backupSecretOf } from './backup-secret.ts'

test('a passphrase comes from its file or the environment, a key as digits or bytes, and nothing is assumed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'imago-secret-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const env = { BACKUP_PASSPHRASE: 'of the environment' }
  const passphraseFile = file('passphrase', 'of the file, for sure\n')
  assert.deepEqual(backupSecretOf({ passphraseFile }, env), {
    kind: 'passphrase',
    passphrase: 'of the file, for sure',
  })
  assert.deepEqual(backupSecretOf({}, env), { kind: 'passphrase', passphrase: env.BACKUP_PASSPHRASE })
  assert.deepEqual(backupSecretOf({ unencrypted: true }, env), { kind: 'none' })
  const key = new Uint8Array(32).map((_, n) => n * 7)
  for (const content of [`${key.toHex()}\n`, key])
    assert.deepEqual(backupSecretOf({ keyFile: file('key', content) }, {}), { kind: 'keyFile', key })

  assert.throws(
    () => backupSecretOf({}, {}),
    /--passphrase-file or --key-file, set BACKUP_PASSPHRASE, or say --unencrypted/,
  )
  assert.throws(() => backupSecretOf({}, { BACKUP_PASSPHRASE: 'short' }), /has 5 characters, and at least 12/)
  assert.throws(() => backupSecretOf({ keyFile: join(folder, 'absent') }, {}), /absent cannot be read/)
})
