import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockMap, type Cid, encode, type Value } from '@imago/data'
import { keyHeight } from './key-height.ts'
import { Mst } from './mst.ts'
import { cidOf } from './naive-tree.fixture.ts'
import { RepoError } from './repo-error.ts'
import { verifyTree } from './verify-tree.ts'

/** The first path at each height: what makes trees of a shape that honest keys do not give. */
const at: string[] = []
for (let n = 0; at.filter(Boolean).length < 4; n++) {
  const path = `com.example.a/${n}`
  at[keyHeight(path)] ??= path
}
const [low, middle, high] = at as [string, string, string]

const blocks = new BlockMap()
const node = (l: Cid | null, ...entries: [path: string, t: Cid | null][]): Cid => {
  let before = ''
  const e = entries.map(([path, t]): Value => {
    let p = 0
    while (p < before.length && before[p] === path[p]) p++
    before = path
    return { p, k: new TextEncoder().encode(path.slice(p)), v: cidOf(1), t }
  })
  return blocks.add(encode({ l, e }))
}
const refused = (root: Cid, code: string, message: RegExp) => {
  const isRefusal = (error: unknown) =>
    error instanceof RepoError && error.code === code && message.test(error.message)
  assert.throws(() => verifyTree(Mst.open(blocks, root)), isRefusal)
  assert.throws(() => [...Mst.open(blocks, root).entries()], isRefusal)
}

test('a key above or below its height is refused', () => {
  refused(
    node(null, ...[low, middle].sort().map((path): [string, null] => [path, null])),
    'InvalidMst',
    /of height/,
  )
  refused(node(node(null, [low, null]), [high, null]), 'InvalidMst', /of height/)
})

test('an empty node is refused but as the whole tree', () => {
  verifyTree(Mst.open(blocks, node(null)))
  refused(node(node(null), [middle, null]), 'InvalidMst', /is empty/)
})

test('a root that only passes through is refused', () => {
  refused(node(node(null, [low, null])), 'InvalidMst', /the child is the root/)
})

test('a child at height 0 is refused', () => {
  refused(node(node(null), [low, null]), 'InvalidMst', /height 0 has a child/)
  refused(node(node(node(null)), [middle, null]), 'InvalidMst', /height 0 has a child|is empty/)
})

test('keys have to ascend from node to node, under nodes that pass through as well', () => {
  const below = node(null, [low, null])
  const wrongSide = low < middle ? node(null, [middle, below]) : node(below, [middle, null])
  refused(wrongSide, 'InvalidMst', /order/)
  const through = node(below)
  refused(low < high ? node(null, [high, through]) : node(through, [high, null]), 'InvalidMst', /order/)
})

test('a tree that is right is not refused, whole or in part', () => {
  const below = node(null, [low, null])
  const root = low < middle ? node(below, [middle, null]) : node(null, [middle, below])
  verifyTree(Mst.open(blocks, root))
  const partial = new BlockMap([...blocks].filter(({ cid }) => !cid.equals(below)))
  verifyTree(Mst.open(partial, root), { partial: true })
  assert.throws(() => verifyTree(Mst.open(partial, root)), /not among the blocks/)
})

test('a node that grows beyond 256 entries is refused: keys can be mined', () => {
  // Keys of height 0 with no higher key in between.
  const mined = Array.from({ length: 400 }, (_, n) => `com.example.a/${n}`).filter(
    (path) => keyHeight(path) === 0,
  )
  assert.ok(mined.length > 257)
  const tooMany = mined.slice(0, 257).map((path) => [path, cidOf(1)] as const)
  const isRefusal = (error: unknown) => error instanceof RepoError && error.code === 'LimitExceeded'
  assert.throws(() => Mst.from(tooMany), isRefusal)
  const full = Mst.from(tooMany.slice(1))
  assert.throws(() => full.insert(...tooMany[0]!), isRefusal)
  assert.equal([...full.entries()].length, 256)
})
