import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { type Cid, type CidCodec, cidFromDigest, DRISL_CODEC, RAW_CODEC } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { type BlockIndex, createBlockIndex } from './block-index.ts'

async function withIndex(
  work: (index: BlockIndex, folder: string) => Promise<void>,
  sizes?: Parameters<typeof createBlockIndex>[1],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'imago-index-'))
  try {
    {
      using index = createBlockIndex(join(folder, 'index'), sizes)
      await work(index, folder)
    }
    assert.deepEqual(readdirSync(folder), [], 'the file is gone')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const cids = (count: number, seed: number): Cid[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => cidFromDigest(DRISL_CODEC, random.bytes(32)))
}

/** Whose digest begins with these words, and goes on with zeros. */
function cidOf(words: readonly number[], codec: CidCodec = DRISL_CODEC): Cid {
  const digest = new Uint8Array(32)
  const view = new DataView(digest.buffer)
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word)
  return cidFromDigest(codec, digest)
}

test('an index finds the place of each block, in one run, in several, and in runs of runs', async () => {
  for (const count of [0, 1, 7, 8, 9, 24, 25, 200, 1000])
    await withIndex(
      async (index) => {
        const added = cids(count, count)
        for (const [n, cid] of added.entries()) index.add(cid, n)
        await index.seal()
        for (const [n, cid] of added.entries()) assert.equal(index.find(cid), n)
        for (const cid of cids(50, 2000)) assert.equal(index.find(cid), undefined)
      },
      { runRows: 8, fanIn: 3 },
    )
})

test('few blocks take no file', () =>
  withIndex(async (index, folder) => {
    const added = cids(20_000, 1)
    for (const [n, cid] of added.entries()) index.add(cid, n)
    await index.seal()
    assert.ok(!existsSync(join(folder, 'index')))
    for (const [n, cid] of added.entries()) assert.equal(index.find(cid), n)
  }))

test('a block that comes again and again is kept once', () =>
  withIndex(
    async (index) => {
      const added = cids(30, 3)
      for (let round = 0; round < 40; round++)
        for (const [n, cid] of added.entries()) {
          index.add(cid, n)
          index.add(added[0]!, 0)
        }
      await index.seal()
      for (const [n, cid] of added.entries()) assert.equal(index.find(cid), n)
      assert.equal(index.rows, 30)
    },
    { runRows: 16, fanIn: 4 },
  ))

test('digests that were made to begin alike are told apart, and found in a few reads', () =>
  withIndex(
    async (index) => {
      const alike = [
        ...Array.from({ length: 3000 }, (_, n) => cidOf([7, n * 1_000_003])),
        ...Array.from({ length: 300 }, (_, n) => cidOf([7, 7, 2 * n])),
        ...Array.from({ length: 300 }, (_, n) => cidOf([0xffff_ffff, 0xffff_ffff, 2 * n], RAW_CODEC)),
        cidOf([0, 0, 0]),
        cidOf([0xffff_ffff, 0xffff_ffff, 0xffff_ffff]),
      ]
      const random = createRandom(4)
      for (const [n, cid] of random.shuffle([...alike.entries()])) index.add(cid, n)
      await index.seal()
      for (const [n, cid] of alike.entries()) assert.equal(index.find(cid), n)
      assert.equal(index.find(cidOf([7, 5])), undefined)
      assert.equal(index.find(cidOf([7, 7, 0], RAW_CODEC)), undefined, 'the codec counts')
    },
    { runRows: 512, fanIn: 4 },
  ))
