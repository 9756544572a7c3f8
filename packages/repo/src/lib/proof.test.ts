import assert from 'node:assert/strict'
import test from 'node:test'
import { MemoryBlockstore, BlockMap as PeerBlockMap, MST as PeerTree } from '@atproto/repo'
import { BlockMap } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { Mst } from './mst.ts'
import { cidOf, pathOf, randomEntries } from './naive-tree.fixture.ts'
import { coveringProof, searchPath } from './proof.ts'

test('a proof holds all nodes that the reference implementation puts in, and no other', async () => {
  const entries = Array.from({ length: 120 }, (_, n) => [pathOf(n), n] as const)
  const tree = Mst.from(entries.map(([path, n]) => [path, cidOf(n)] as const))
  let peer = await PeerTree.create(new MemoryBlockstore())
  for (const [path, n] of entries) peer = await peer.add(path, await new PeerBlockMap().add({ n }))
  const texts = (cids: Iterable<unknown>) => [...cids].map(String).sort()
  for (let n = 0; n < 160; n += 4) {
    const theirs = await peer.getCoveringProof(pathOf(n))
    const ours = coveringProof(tree, [pathOf(n)])
    assert.deepEqual(texts([...ours].map(({ cid }) => cid)), texts(theirs.cids()), pathOf(n))
  }
})

test('a proof shows a key and both its neighbours, present or not', () => {
  const entries = randomEntries(createRandom(12), 400)
  const paths = [...entries.keys()].sort()
  const tree = Mst.from(entries)
  for (let i = 0; i < paths.length; i += 7)
    for (const key of [paths[i]!, `${paths[i]}-`]) {
      const partial = Mst.open(coveringProof(tree, [key]), tree.root)
      assert.equal(String(partial.get(key)), String(entries.get(key)))
      const before = paths.findLast((path) => path < key)
      const after = paths.find((path) => path > key)
      if (before !== undefined) assert.ok(partial.get(before)?.equals(entries.get(before)!))
      if (after !== undefined) {
        assert.ok(partial.get(after)?.equals(entries.get(after)!))
        assert.equal(partial.entries({ after: key }).next().value?.[0], after)
      }
    }
})

test('proofs of several keys are the union of theirs', () => {
  const tree = Mst.from(randomEntries(createRandom(13), 200))
  const keys = [...tree.entries()].map(([path]) => path).slice(10, 14)
  const union = new BlockMap()
  for (const key of keys) union.addAll(coveringProof(tree, [key]))
  assert.equal(coveringProof(tree, keys).size, union.size)
  assert.equal(coveringProof(tree, []).size, 0)
})

test('the path to a key alone is part of its proof', () => {
  const tree = Mst.from(randomEntries(createRandom(14), 200))
  for (const [path] of tree.entries()) {
    const alone = searchPath(tree, path)
    const proof = coveringProof(tree, [path])
    for (const { cid } of alone) assert.ok(proof.has(cid))
    assert.ok(Mst.open(alone, tree.root).get(path))
  }
})
