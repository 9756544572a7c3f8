import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { createMemoryStore } from '@imago/object-store/memory'
import type { BlobFile, BlobInventory } from './blob-inventory.ts'
import { openDiskBlobInventory } from './blob-inventory-disk.ts'
import { createObjectBlobInventory } from './blob-inventory-objects.ts'
import { isYoung } from './verify-blobs.ts'

const [alice, bob] = ['did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', 'did:web:localhost%3A1'] as const
const bytes = new Uint8Array([1, 2, 3])
const cid = cidOfRaw(bytes)

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const namesOf = async (files: AsyncIterable<BlobFile>) => (await all(files)).map(({ name }) => name).sort()

/** Where the adapter keeps the files of an account, and something that no account owns. */
async function check(
  blobs: BlobInventory,
  put: (name: string, bytes: Uint8Array) => Promise<void>,
  folderOf: (did: string) => string,
  stray: string,
) {
  assert.deepEqual(await all(blobs.accounts()), [], 'nothing is there yet, not even the store')
  assert.deepEqual(await all(blobs.files(alice)), [])
  const own = `${folderOf(alice)}/${cid}`
  await put(own, bytes)
  await put(`${folderOf(alice)}/readme`, bytes.subarray(1))
  await put(`${folderOf(bob)}/${cid}`, bytes)
  await put(stray, bytes)

  assert.deepEqual((await all(blobs.accounts())).sort(), [alice, bob])
  assert.deepEqual(await namesOf(blobs.files(alice)), [own, `${folderOf(alice)}/readme`])
  assert.deepEqual(await namesOf(blobs.others()), [stray])
  assert.equal(await blobs.find(alice, cidOfRaw(bytes.subarray(1))), undefined)
  const file = (await blobs.find(alice, cid))!
  assert.ok(file.cid?.equals(cid))
  assert.equal(file.size, 3)
  assert.deepEqual(Buffer.concat(await all(blobs.read(file))), Buffer.from(bytes))
  assert.deepEqual(
    (await all(blobs.files(alice))).map(({ cid }) => cid === undefined).sort(),
    [false, true],
    'a name that is no CID is told as such',
  )

  const folder = mkdtempSync(join(tmpdir(), 'pds-inventory-'))
  try {
    const target = join(folder, 'a', 'b')
    await blobs.take(file, target)
    assert.deepEqual(new Uint8Array(readFileSync(target)), bytes)
    assert.equal(await blobs.find(alice, cid), undefined)
    assert.notEqual(await blobs.find(bob, cid), undefined)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a folder, as the server fills it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pds-inventory-'))
  const root = join(folder, 'blobs')
  try {
    const put = async (name: string, content: Uint8Array) => {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), content)
    }
    const blobs = openDiskBlobInventory(root)
    await check(blobs, put, encodeURIComponent, '.tmp/upload')
    const [file] = await all(blobs.files(bob))
    assert.ok(isYoung(file!, Date.now))
    assert.equal(
      isYoung(file!, () => Date.now() + 3 * 24 * 3_600_000),
      false,
    )
    assert.ok(existsSync(root))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a bucket, which does not tell when something came', async () => {
  const store = createMemoryStore()
  const put = async (name: string, content: Uint8Array) => void (await store.put(name, content))
  const blobs = createObjectBlobInventory(store)
  await check(blobs, put, (did) => `blocks/${did}`, 'blocks/stray')
  const [file] = await all(blobs.files(bob))
  assert.ok(isYoung(file!, () => Number.MAX_SAFE_INTEGER))
})
