import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockMap, type Cid, DataError, encode, readCar, type Value, writeCar } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { invertInOrder, invertOps } from './invert.ts'
import { keyHeight } from './key-height.ts'
import { Mst } from './mst.ts'
import { cidOf, naiveHeight, naiveTree } from './naive-tree.fixture.ts'
import { coveringProof } from './proof.ts'
import { permutations } from './random-commit.fixture.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'
import type { RepoOp } from './repo-op.ts'
import { verifyTree } from './verify-tree.ts'

// Whoever looks for keys long enough finds them at any height: trees then take shapes that honest keys do not give.

/** Keys of each height, looked for in a seeded order: two of each, as high as some ten thousand tries go. */
function mine(perHeight: number, highest: number): string[][] {
  const random = createRandom(47)
  const found: string[][] = Array.from({ length: highest + 1 }, () => [])
  while (found.some((keys) => keys.length < perHeight)) {
    const key = `com.example.a/${random.int(1e9).toString(36)}`
    const keys = found[keyHeight(key)]
    if (keys && keys.length < perHeight && !keys.includes(key)) keys.push(key)
  }
  return found
}
const mined = mine(2, 6)
const code = (expected: string) => (error: unknown) => error instanceof RepoError && error.code === expected

test('[trap 24] mined keys stand where their hashes say, counted in pairs of bits across bytes', () => {
  for (const [height, keys] of mined.entries())
    for (const key of keys) assert.equal(naiveHeight(key), height, key)
  assert.ok(mined.length > 5, 'beyond the first byte of the hash')
})

test('one high key makes a tall tree of nodes that only pass through, and losing it trims them all', () => {
  const [low, high] = [mined[0]![0]!, mined[6]![0]!]
  const alone = Mst.from([[low, cidOf(1)]])
  const tall = alone.insert(high, cidOf(2))
  const nodes = [...tall.nodes()]
  assert.equal(nodes.length, 7)
  const naive = naiveTree(
    new Map([
      [low, cidOf(1)],
      [high, cidOf(2)],
    ]),
  )
  assert.ok(tall.root.equals(naive.root))
  const blocks = new BlockMap(nodes)
  verifyTree(Mst.open(blocks, tall.root))
  assert.ok(Mst.open(blocks, tall.root).delete(high).root.equals(alone.root))
  assert.ok(Mst.open(blocks, tall.root).delete(low).delete(high).root.equals(Mst.empty().root))
})

test('[trap 22] a covering proof out of the new tree is enough for every order of the operations, among mined keys', () => {
  const keys = mined.flat()
  const random = createRandom(48)
  for (let round = 0; round < 6; round++) {
    const before = Mst.from(
      random
        .shuffle(keys)
        .slice(0, 10)
        .map((key) => [key, cidOf(1)] as const),
    )
    const held = new Map(before.entries())
    const ops = random
      .shuffle(keys)
      .slice(0, 4)
      .map((path): RepoOp => {
        const prev = held.get(path) ?? null
        if (prev === null) return { action: 'create', path, cid: cidOf(2), prev }
        return random.chance(0.5)
          ? { action: 'delete', path, cid: null, prev }
          : { action: 'update', path, cid: cidOf(3), prev }
      })
    const after = ops.reduce(
      (tree, { action, path, cid }) =>
        action === 'create'
          ? tree.insert(path, cid!)
          : action === 'update'
            ? tree.update(path, cid!)
            : tree.delete(path),
      before,
    )
    const proof = coveringProof(
      after,
      ops.map(({ path }) => path),
    )
    for (const order of permutations(ops))
      assert.ok(invertInOrder(Mst.open(proof, after.root), order).root.equals(before.root))
  }
})

test('[trap 23] a stub is fine where the root is trimmed to it, and not where two subtrees merge', () => {
  const [high] = mined[3]!
  const below = [...mined[0]!, ...mined[1]!, ...mined[2]!].sort()
  const left = below.filter((key) => key < high!)
  const right = below.filter((key) => key > high!)
  assert.ok(left.length > 0 && right.length > 0)
  const rootAlone = (tree: Mst) => new BlockMap([...tree.nodes()].slice(0, 1))
  const undo = (keys: readonly string[]) => {
    const before = Mst.from(keys.map((key) => [key, cidOf(1)] as const))
    const after = before.insert(high!, cidOf(2))
    const op: RepoOp = { action: 'create', path: high!, cid: cidOf(2), prev: null }
    return { before, inverted: () => invertOps(Mst.open(rootAlone(after), after.root), [op]) }
  }
  // With nothing on the other side, what is left is the one child, known by its CID alone.
  const oneSided = undo(left.filter((key) => keyHeight(key) === 2).length > 0 ? left : right)
  assert.ok(oneSided.inverted().root.equals(oneSided.before.root))
  assert.throws(undo(below).inverted, MissingBlockError)
})

test('absent is told from corrupt: a stub has a name of its own, and a block that is wrong another', () => {
  const tree = Mst.from(mined.flat().map((key) => [key, cidOf(1)] as const))
  const nodes = [...tree.nodes()]
  for (const [index, { cid }] of nodes.entries()) {
    const partial = new BlockMap(nodes.toSpliced(index, 1))
    if (index > 0) verifyTree(Mst.open(partial, tree.root), { partial: true })
    assert.throws(() => verifyTree(Mst.open(partial, tree.root)), MissingBlockError)
    const corrupt = new BlockMap(partial).set(cid, Uint8Array.of(0xa0))
    for (const options of [{}, { partial: true }])
      assert.throws(() => verifyTree(Mst.open(corrupt, tree.root), options), code('InvalidMst'))
  }
})

test('a tree that claims to be higher than its keys, or lower, is refused wholly and in part', () => {
  const blocks = new BlockMap()
  const put = (l: Cid | null, entries: [key: string, t: Cid | null][]): Cid =>
    blocks.add(
      encode({
        l,
        e: entries.map(([key, t]): Value => ({ p: 0, k: new TextEncoder().encode(key), v: cidOf(1), t })),
      }),
    )
  const [low, high] = [mined[0]![0]!, mined[4]![0]!]
  // Heights 0, 1 and 2 lead from height 4: one node too few.
  const short = put(put(put(put(null, [[low, null]]), []), []), [[high, null]])
  assert.throws(() => verifyTree(Mst.open(blocks, short)), code('InvalidMst'))
  let deep = put(null, [[low, null]])
  for (let n = 0; n < 40; n++) deep = put(deep, [])
  const top = put(deep, [[high, null]])
  for (const root of [top, deep]) {
    assert.throws(() => verifyTree(Mst.open(blocks, root)), code('InvalidMst'))
    assert.throws(() => verifyTree(Mst.open(blocks, root), { partial: true }), code('InvalidMst'))
    assert.throws(() => [...Mst.open(blocks, root).entries()], code('InvalidMst'))
  }
  assert.throws(() => Mst.open(blocks, deep).insert(mined[1]![0]!, cidOf(1)), code('InvalidMst'))
})

test('[FORGERY] a byte swapped in any block of a covering proof is refused by its reader', () => {
  const tree = Mst.from(mined.flat().map((key) => [key, cidOf(1)] as const))
  const proof = [...coveringProof(tree, [mined[0]![0]!, mined[5]![1]!])]
  assert.ok(proof.length > 4)
  for (const [index, { cid, bytes }] of proof.entries())
    for (let at = 0; at < bytes.length; at += 7) {
      const forged = bytes.slice()
      forged[at]! ^= 0x01
      const file = writeCar([tree.root], proof.with(index, { cid, bytes: forged }))
      assert.throws(() => readCar(file), DataError, `block ${index}, byte ${at}`)
    }
})
