import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { type Block, cidOfDrisl, cidOfRaw, equalBytes } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { createBlockFile } from './block-file.ts'
import { createHeldBlocks, emptyHeldBlocksFolder } from './held-blocks.ts'

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-held-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of every size, from none to more than one write. */
function someBlocks(count: number, seed: number): Block[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, n) => {
    const size = n % 500 === 7 ? 300_000 : n % 50 === 3 ? 5000 : n === 1 ? 0 : 4 + random.int(600)
    const bytes = random.bytes(size)
    return { cid: (n % 2 === 0 ? cidOfDrisl : cidOfRaw)(bytes), bytes }
  })
}

test('a block file gives back every block, whatever its size, and nothing that was not put in', () =>
  inFolder(async (folder) => {
    const blocks = someBlocks(3000, 1)
    using file = createBlockFile(join(folder, 'a'))
    for (const { cid, bytes } of blocks) {
      const given = bytes.slice()
      file.set(cid, given)
      given.fill(0xff)
    }
    for (const { cid, bytes } of blocks) file.set(cid, bytes)
    await file.seal()
    for (const [n, { cid, bytes }] of blocks.entries()) {
      assert.ok(equalBytes(file.get(cid)!, bytes))
      const earlier = blocks[n >> 1]!
      assert.ok(equalBytes(file.get(earlier.cid)!, earlier.bytes))
    }
    // The same digest under the other codec is another CID.
    assert.equal(file.get(cidOfRaw(blocks[0]!.bytes)), undefined)
    for (const { cid } of someBlocks(100, 2)) if (cid.codec === 0x71) assert.equal(file.get(cid), undefined)
  }))

test('what a block file gave is overwritten only after it was told that nobody looks at it', () =>
  inFolder(async (folder) => {
    const blocks = someBlocks(2000, 4)
    using file = createBlockFile(join(folder, 'a'))
    for (const { cid, bytes } of blocks) file.set(cid, bytes)
    await file.seal()
    for (let round = 0; round < 3; round++) {
      const given = blocks.slice(500 * round, 500 * round + 700).map(({ cid }) => file.get(cid)!)
      for (const [n, bytes] of given.entries()) assert.ok(equalBytes(bytes, blocks[500 * round + n]!.bytes))
      file.reuse()
    }
    const [one, other] = blocks.filter(({ bytes }) => bytes.length > 100 && bytes.length < 600)
    file.reuse()
    const first = file.get(one!.cid)!
    file.reuse()
    assert.equal(file.get(other!.cid)!.buffer, first.buffer)
  }))

test('held blocks go to a file when they are many, and the file goes with them; so does what a crash left', () =>
  inFolder(async (folder) => {
    const imports = join(folder, 'imports')
    mkdirSync(imports)
    writeFileSync(join(imports, 'left'), 'x')
    assert.equal(emptyHeldBlocksFolder(folder), imports)
    assert.ok(!existsSync(imports))
    const blocks = someBlocks(9000, 3)
    {
      using held = createHeldBlocks(imports, 'one')
      for (const { cid, bytes } of blocks.slice(0, 100)) held.set(cid, bytes)
      assert.ok(!existsSync(imports), 'few stay in memory')
      for (const { cid, bytes } of blocks.slice(100)) held.set(cid, bytes)
      assert.deepEqual(readdirSync(imports), ['one'])
      await held.seal()
      assert.deepEqual(readdirSync(imports), ['one'], 'so few have their places in memory')
      for (const { cid, bytes } of blocks) assert.ok(equalBytes(held.get(cid)!, bytes))
      assert.equal(
        held.byteLength,
        blocks.reduce((sum, { bytes }) => sum + bytes.length, 0),
      )
    }
    assert.deepEqual(readdirSync(imports), [])
  }))

test('a few that stay in memory are copies as well', () =>
  inFolder(async (folder) => {
    using held = createHeldBlocks(join(folder, 'imports'), 'one')
    const [{ cid, bytes }] = someBlocks(1, 5) as [Block]
    const given = bytes.slice()
    held.set(cid, given)
    given.fill(0)
    await held.seal()
    assert.deepEqual(held.get(cid), bytes)
  }))

test('what is looked up lies in the same memory again and again, however many blocks and however large', () =>
  inFolder(async (folder) => {
    const blocks = someBlocks(4000, 6)
    using held = createHeldBlocks(join(folder, 'imports'), 'one')
    for (const { cid, bytes } of blocks) held.set(cid, bytes)
    await held.seal()
    const memory = new Set<ArrayBufferLike>()
    for (const [n, { cid }] of blocks.entries()) {
      if (n % 20 === 0) held.reuse()
      memory.add(held.get(cid)!.buffer)
    }
    // Of the size that is always enough, and of the one that the large ones ask for.
    assert.ok(memory.size <= 3, `${memory.size} pieces of memory for ${blocks.length} blocks`)
  }))
