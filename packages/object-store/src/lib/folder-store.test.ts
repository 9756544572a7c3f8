import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { ObjectStoreError } from '../index.ts'
import { objectStoreContract } from '../object-store.contract.ts'
import { openFolderStore } from './folder-store.ts'

const MEBIBYTE = 1024 * 1024

async function openTemporary() {
  const folder = mkdtempSync(join(tmpdir(), 'imago-objects-'))
  const root = join(folder, 'made', 'here')
  const store = await openFolderStore({ folder: root })
  return { store, root, [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }) }
}

// Each of the seven folders of the listing has more names than the system reads at once, which is 32.
objectStoreContract('folder', openTemporary, { manyObjects: 300, largeBytes: 24 * MEBIBYTE })

test('a folder left empty is removed, and so are those above it', async () => {
  await using opened = await openTemporary()
  const { store, root } = opened
  await store.put('a/b/c/d', new Uint8Array(1))
  await store.put('a/e', new Uint8Array(1))
  await store.delete('a/b/c/d')
  assert.deepEqual(readdirSync(root, { recursive: true }).sort(), ['.tmp', 'a', 'a/e'])
  await store.delete('a/e')
  assert.deepEqual(readdirSync(root), ['.tmp'])
})

test('a deletion that was broken off after the file had gone is ended by the next', async () => {
  await using opened = await openTemporary()
  const { store, root } = opened
  await store.put('a/b/c', new Uint8Array(1))
  rmSync(join(root, 'a/b/c'))
  await store.delete('a/b/c')
  assert.deepEqual(readdirSync(root), ['.tmp'])
  await store.delete('a/b/c')
  await store.put('file', new Uint8Array(1))
  await store.delete('file/below')
  assert.deepEqual(readdirSync(root).sort(), ['.tmp', 'file'])
})

test('a file cut short fails the reader instead of ending early', async () => {
  await using opened = await openTemporary()
  const { store, root } = opened
  await store.put('key', new Uint8Array(MEBIBYTE))
  const { body } = (await store.get('key'))!
  truncateSync(join(root, 'key'), 10)
  await assert.rejects(
    async () => {
      for await (const _ of body);
    },
    (error: ObjectStoreError) => error.code === 'Corrupt' && error.key === 'key',
  )
})

test('temporary files are swept by age', async () => {
  await using opened = await openTemporary()
  const { store, root } = opened
  writeFileSync(join(root, '.tmp', 'left behind'), 'half an upload')
  assert.equal(await store.sweep(Date.now() - 3_600_000), 0)
  assert.equal(await store.sweep(Date.now() + 3_600_000), 1)
  assert.deepEqual(readdirSync(join(root, '.tmp')), [])
})

test('a failure of the file system names the key', async () => {
  await using opened = await openTemporary()
  const { store, root } = opened
  // A folder where the object should be: nothing can be renamed over it.
  mkdirSync(join(root, 'taken', 'by', 'others'), { recursive: true })
  await assert.rejects(
    store.put('taken/by', new Uint8Array(1)),
    (error) =>
      error instanceof ObjectStoreError && error.key === 'taken/by' && /taken\/by/.test(error.message),
  )
  assert.deepEqual(readdirSync(join(root, '.tmp')), [])
})
