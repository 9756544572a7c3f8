import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { type Block, cidOfDrisl, cidOfRaw, equalBytes } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { createBlockFile } from './block-file.ts'
import { createHeldBlocks, emptyHeldBlocksFolder } from './held-blocks.ts'

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'imago-held-'))
  try {
    work(folder)
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
  inFolder((folder) => {
    const blocks = someBlocks(3000, 1)
    using file = createBlockFile(join(folder, 'a'))
    for (const [n, { cid, bytes }] of blocks.entries()) {
      assert.equal(file.get(cid), undefined)
      file.set(cid, bytes)
      // At once, while it may not have been written yet; and one from before.
      assert.ok(equalBytes(file.get(cid)!, bytes))
      const earlier = blocks[n >> 1]!
      assert.ok(equalBytes(file.get(earlier.cid)!, earlier.bytes))
    }
    for (const { cid, bytes } of blocks) file.set(cid, bytes)
    for (const { cid, bytes } of blocks) assert.ok(equalBytes(file.get(cid)!, bytes))
    // The same digest under the other codec is another CID.
    assert.equal(file.get(cidOfRaw(blocks[0]!.bytes)), undefined)
    for (const { cid } of someBlocks(100, 2)) if (cid.codec === 0x71) assert.equal(file.get(cid), undefined)
  }))

test('what a block file gave is overwritten only after it was told that nobody looks at it', () =>
  inFolder((folder) => {
    const blocks = someBlocks(2000, 4)
    using file = createBlockFile(join(folder, 'a'))
    for (const { cid, bytes } of blocks) file.set(cid, bytes)
    for (let round = 0; round < 3; round++) {
      const given = blocks.slice(500 * round, 500 * round + 700).map(({ cid }) => file.get(cid)!)
      // Those that are there already take no memory, however many come.
      for (const { cid, bytes } of blocks) file.set(cid, bytes)
      for (const [n, bytes] of given.entries()) assert.ok(equalBytes(bytes, blocks[500 * round + n]!.bytes))
      file.reuse()
    }
    const [one, other] = blocks.filter(({ bytes }) => bytes.length > 100 && bytes.length < 600)
    file.reuse()
    const first = file.get(one!.cid)!
    file.reuse()
    assert.equal(file.get(other!.cid)!.buffer, first.buffer)
  }))

test('a table that grows keeps what it knows', () =>
  inFolder((folder) => {
    using file = createBlockFile(join(folder, 'a'))
    const blockOf = (n: number) => new Uint8Array([n, n >> 8, n >> 16])
    for (let n = 0; n < 60_000; n++) file.set(cidOfDrisl(blockOf(n)), blockOf(n))
    for (let n = 0; n < 60_000; n += 7) assert.deepEqual(file.get(cidOfDrisl(blockOf(n))), blockOf(n))
  }))

test('held blocks go to a file when they are many, and the file goes with them; so does what a crash left', () =>
  inFolder((folder) => {
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
      for (const { cid, bytes } of blocks) assert.ok(equalBytes(held.get(cid)!, bytes))
      assert.equal(
        held.byteLength,
        blocks.reduce((sum, { bytes }) => sum + bytes.length, 0),
      )
    }
    assert.deepEqual(readdirSync(imports), [])
  }))
