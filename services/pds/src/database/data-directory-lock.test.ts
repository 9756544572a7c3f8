import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { DataDirectoryInUseError, lockDataDirectory } from './data-directory-lock.ts'

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'pds-lock-'))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

test('one at a time: the second is told who the first is, and may once it has gone', () => {
  using temporary = temporaryFolder()
  const { folder } = temporary
  {
    using _lock = lockDataDirectory(folder)
    assert.throws(
      () => lockDataDirectory(folder),
      (error) => {
        assert.ok(error instanceof DataDirectoryInUseError)
        assert.deepEqual(error.holder, { pid: process.pid, host: hostname() })
        assert.equal(
          error.message,
          `${folder} is in use by process ${process.pid} on ${hostname()}: stop it first, or choose another data directory`,
        )
        return true
      },
    )
  }
  lockDataDirectory(folder)[Symbol.dispose]()
})

test('a process that is killed leaves no lock behind', async () => {
  using temporary = temporaryFolder()
  const { folder } = temporary
  const code = `
    const { lockDataDirectory } = await import(${JSON.stringify(import.meta.resolve('./data-directory-lock.ts'))})
    globalThis.lock = lockDataDirectory(${JSON.stringify(folder)})
    process.stdout.write('locked')
    setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(holder.stdout, 'data')
    assert.throws(() => lockDataDirectory(folder), { holder: { pid: holder.pid, host: hostname() } })
  } finally {
    holder.kill('SIGKILL')
    await once(holder, 'exit')
  }
  assert.equal(holder.signalCode, 'SIGKILL')
  lockDataDirectory(folder)[Symbol.dispose]()
})

test('a folder that cannot be written to is an error of its own', () => {
  using temporary = temporaryFolder()
  assert.throws(
    () => lockDataDirectory(join(temporary.folder, 'none')),
    (error) => !(error instanceof DataDirectoryInUseError),
  )
})
