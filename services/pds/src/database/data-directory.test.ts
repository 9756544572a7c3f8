import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { makeDataDirectory } from './data-directory.ts'

test('a folder that cannot be made is named, with the setting that says another', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pds-folder-'))
  try {
    writeFileSync(join(folder, 'file'), '')
    assert.throws(
      () => makeDataDirectory(join(folder, 'file', 'data')),
      /the data directory .*file\/data cannot be made: name another one \(PDS_DATA_DIRECTORY\)/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
