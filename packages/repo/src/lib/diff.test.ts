import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockMap, type BlockSource } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { diffTrees } from './diff.ts'
import { keyHeight } from './key-height.ts'
import { Link } from './link.ts'
import { Mst } from './mst.ts'
import { cidOf, randomEntries } from './naive-tree.fixture.ts'
import { encodeNode } from './node-codec.ts'
import { randomCommit } from './random-commit.fixture.ts'
import { RepoError } from './repo-error.ts'
import type { RepoOp } from './repo-op.ts'

/** The same, from two whole lists. */
function naiveDiff(from: Mst, to: Mst): RepoOp[] {
  const before = new Map(from.entries())
  const after = new Map(to.entries())
  const ops: RepoOp[] = []
  for (const path of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const prev = before.get(path) ?? null
    const cid = after.get(path) ?? null
    if (prev !== null && cid !== null && prev.equals(cid)) continue
    ops.push({ action: prev === null ? 'create' : cid === null ? 'delete' : 'update', path, cid, prev })
  }
  return ops
}
const texts = (ops: readonly RepoOp[]) =>
  ops.map(({ action, path, cid, prev }) => `${action} ${path} ${cid} ${prev}`)

test('differences are those of two whole lists, in the order of paths', () => {
  for (let seed = 0; seed < 25; seed++) {
    const random = createRandom(seed)
    const { before, after } = randomCommit(random, random.int(300), random.int(40))
    assert.deepEqual(texts(diffTrees(before, after)), texts(naiveDiff(before, after)), `seed ${seed}`)
    assert.deepEqual(texts(diffTrees(after, before)), texts(naiveDiff(after, before)), `seed ${seed}`)
  }
  const unrelated = [1, 2].map((seed) => Mst.from(randomEntries(createRandom(seed), 100)))
  assert.deepEqual(
    texts(diffTrees(unrelated[0]!, unrelated[1]!)),
    texts(naiveDiff(unrelated[0]!, unrelated[1]!)),
  )
  assert.deepEqual(diffTrees(Mst.empty(), Mst.empty()), [])
  assert.equal(diffTrees(Mst.empty(), unrelated[0]!).length, [...unrelated[0]!.entries()].length)
})

test('what both trees share is not loaded', () => {
  let shared = 0
  let loaded = 0
  for (let seed = 0; seed < 12; seed++) {
    const { before, after } = randomCommit(createRandom(seed), 800, 1)
    const reads = new Map<string, number>()
    const counting = (blocks: BlockMap): BlockSource => ({
      get(cid) {
        reads.set(String(cid), (reads.get(String(cid)) ?? 0) + 1)
        return blocks.get(cid)
      },
    })
    const [a, b] = [new BlockMap(before.nodes()), new BlockMap(after.nodes())]
    diffTrees(Mst.open(counting(a), before.root), Mst.open(counting(b), after.root))
    for (const { cid } of a) if (b.has(cid)) shared++
    for (const { cid } of a) if (b.has(cid) && reads.has(String(cid))) loaded++
  }
  assert.ok(shared > 2000)
  assert.equal(loaded, 0)
})

test('trees that are the same are told so without a block', () => {
  const root = Mst.from([['a/b', cidOf(1)]]).root
  const nowhere = new BlockMap()
  assert.deepEqual(diffTrees(Mst.open(nowhere, root), Mst.open(nowhere, root)), [])
})

test('a tree that holds one subtree in many places is out of order, and not walked over and over', () => {
  const blocks = new BlockMap()
  let child: Link | null = null
  for (const [height, keys] of keysByHeight(3, 4).entries()) {
    const links = [child, ...keys.map(() => child)]
    child = Link.of(
      blocks.add(encodeNode({ keys, values: keys.map(() => Link.of(cidOf(height))), links }).slice()),
    )
  }
  const hostile = Mst.open(blocks, child!.cid)
  const disordered = (error: unknown) => error instanceof RepoError && error.code === 'InvalidMst'
  assert.throws(() => diffTrees(Mst.empty(), hostile), disordered)
  assert.throws(() => diffTrees(hostile, Mst.empty()), disordered)
  const honest = Mst.from([[keysByHeight(0, 1)[0]![0]!, cidOf(1)]])
  assert.throws(() => diffTrees(honest, hostile), disordered)
})

/** So many keys of each height up to `highest`, ascending. */
function keysByHeight(highest: number, count: number): string[][] {
  const found: string[][] = Array.from({ length: highest + 1 }, () => [])
  for (let n = 100_000; found.some((keys) => keys.length < count); n++) {
    const keys = found[keyHeight(`com.example.a/${n}`)]
    if (keys !== undefined && keys.length < count) keys.push(`com.example.a/${n}`)
  }
  return found
}
