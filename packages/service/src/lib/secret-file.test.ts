import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { readOrCreateSecret } from './secret-file.ts'

function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'imago-secret-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

test('a secret is made once, in folders that are made as well, for its owner alone', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'a', 'b', 'log.seed')
  const secret = readOrCreateSecret(path)
  assert.equal(secret.length, 32)
  assert.deepEqual(readOrCreateSecret(path), secret)
  assert.equal(readFileSync(path, 'utf8'), `${secret.toHex()}\n`)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(folder.path, 'a', 'b')), ['log.seed'])
})

test('what a crash left of a secret in the making is no secret, and in nobody’s way', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'log.seed')
  writeFileSync(`${path}.new`, 'abc')
  const secret = readOrCreateSecret(path)
  assert.equal(secret.length, 32)
  assert.deepEqual(readdirSync(folder.path), ['log.seed'])
})

test('a file that holds something else is left as it is, and named', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'log.seed')
  for (const text of ['', 'abc', 'f'.repeat(63), 'F'.repeat(64), 'f'.repeat(65)]) {
    writeFileSync(path, text)
    assert.throws(() => readOrCreateSecret(path), /log\.seed does not hold a secret/)
    assert.equal(readFileSync(path, 'utf8'), text)
  }
})
