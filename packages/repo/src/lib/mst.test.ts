import assert from 'node:assert/strict'
import test from 'node:test'
import { MemoryBlockstore, BlockMap as PeerBlockMap, MST as PeerTree } from '@atproto/repo'
import { BlockMap, type BlockSource, type Cid } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { Mst } from './mst.ts'
import { cidOf, naiveTree, pathOf, randomEntries } from './naive-tree.fixture.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'

const EMPTY_ROOT = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'

const refusal = (code: string) => (error: unknown) => error instanceof RepoError && error.code === code
const hold = (tree: Mst) => new BlockMap(tree.nodes())

test('the empty tree is one node without entries, and deleting the last record comes back to it', () => {
  assert.equal(String(Mst.empty().root), EMPTY_ROOT)
  const one = Mst.empty().insert(pathOf(1), cidOf(1))
  const none = one.delete(pathOf(1))
  assert.equal(String(none.root), EMPTY_ROOT)
  assert.deepEqual([...none.entries()], [])
  assert.equal(hold(none).size, 1)
  assert.equal(String(Mst.open(hold(none), none.root).insert(pathOf(1), cidOf(1)).root), String(one.root))
})

test('any sequence of edits gives the tree that is made from scratch', () => {
  for (let seed = 0; seed < 15; seed++) {
    const random = createRandom(seed)
    const model = new Map<string, Cid>()
    let tree = Mst.empty()
    for (let step = 0; step < 150; step++) {
      const path =
        random.chance(0.5) && model.size > 0 ? random.pick([...model.keys()]) : pathOf(random.int(400))
      const cid = cidOf(random.int(1000))
      if (!model.has(path)) tree = tree.insert(path, cid)
      else if (random.chance(0.3)) tree = tree.update(path, cid)
      else {
        tree = tree.delete(path)
        model.delete(path)
        continue
      }
      model.set(path, cid)
      if (random.chance(0.1)) tree = Mst.open(hold(tree), tree.root)
    }
    const { root, blocks } = naiveTree(model)
    assert.equal(String(tree.root), String(root), `seed ${seed}`)
    assert.equal(String(Mst.from(model).root), String(root), `seed ${seed}`)
    assert.deepEqual(
      [...tree.nodes()].map(({ cid }) => String(cid)).sort(),
      [...blocks].map(({ cid }) => String(cid)).sort(),
    )
    assert.deepEqual(new Map(tree.entries()), new Map([...model].sort(([a], [b]) => (a < b ? -1 : 1))))
    for (const [path, cid] of model) assert.ok(tree.get(path)!.equals(cid))
    assert.equal(tree.get('app.bsky.feed.post/absent'), undefined)
  }
})

test('the reference implementation gives the same roots', async () => {
  const random = createRandom(11)
  let peer = await PeerTree.create(new MemoryBlockstore())
  let tree = Mst.empty()
  const paths: string[] = []
  for (let step = 0; step < 200; step++) {
    const n = random.int(1000)
    const cid = cidOf(n)
    const peerCid = await new PeerBlockMap().add({ n })
    if (paths.length > 20 && random.chance(0.3)) {
      const path = paths.splice(random.int(paths.length), 1)[0]!
      peer = await peer.delete(path)
      tree = tree.delete(path)
    } else {
      const path = pathOf(step)
      paths.push(path)
      peer = await peer.add(path, peerCid)
      tree = tree.insert(path, cid)
    }
    if (step % 10 === 0) assert.equal(String(tree.root), String(await peer.getPointer()))
  }
  assert.equal(String(tree.root), String(await peer.getPointer()))
})

test('edits leave the tree that they begin with as it was', () => {
  const entries = randomEntries(createRandom(3), 200)
  const tree = Mst.from(entries)
  const root = String(tree.root)
  const [path] = entries.keys()
  tree.delete(path!).insert('app.bsky.feed.post/new', cidOf(1)).update('app.bsky.feed.post/new', cidOf(2))
  assert.equal(String(Mst.from(tree.entries()).root), root)
})

test('an edit makes only the nodes of one path', () => {
  const tree = Mst.from(randomEntries(createRandom(4), 3000))
  const stored = hold(tree)
  const opened = Mst.open(stored, tree.root)
  assert.equal(opened.newBlocks().size, 0)
  const edited = opened.insert('app.bsky.feed.post/one-more', cidOf(1))
  const fresh = edited.newBlocks()
  assert.ok(fresh.size > 0 && fresh.size <= 16, String(fresh.size))
  assert.deepEqual(
    [...fresh].map(({ cid }) => String(cid)).sort(),
    [...edited.nodes()]
      .filter(({ cid }) => !stored.has(cid))
      .map(({ cid }) => String(cid))
      .sort(),
  )
  assert.equal(edited.delete('app.bsky.feed.post/one-more').newBlocks().size, 0, 'and back again makes none')
})

test('what cannot be done is refused by name', () => {
  const tree = Mst.empty().insert(pathOf(1), cidOf(1))
  assert.throws(() => tree.insert(pathOf(1), cidOf(2)), refusal('KeyExists'))
  assert.throws(() => tree.update(pathOf(2), cidOf(2)), refusal('KeyAbsent'))
  assert.throws(() => tree.delete(pathOf(2)), refusal('KeyAbsent'))
  assert.throws(() => Mst.empty().delete(pathOf(2)), refusal('KeyAbsent'))
  assert.throws(
    () =>
      Mst.from([
        [pathOf(1), cidOf(1)],
        [pathOf(1), cidOf(2)],
      ]),
    refusal('KeyExists'),
  )
  for (const key of [
    '',
    'a',
    '/',
    'a/',
    '/a',
    'a/b/c',
    'a//b',
    'a b/c',
    'ü/a',
    'a/\u0161',
    `a/${'b'.repeat(1023)}`,
  ])
    assert.throws(() => tree.insert(key, cidOf(1)), refusal('InvalidKey'), key)
  assert.ok(tree.insert(`a/${'b'.repeat(1022)}`, cidOf(1)).get(`a/${'b'.repeat(1022)}`))
})

test('entries begin after a key, and read only what lies behind it', () => {
  const entries = randomEntries(createRandom(5), 500)
  const paths = [...entries.keys()].sort()
  const tree = Mst.from(entries)
  const { source, reads } = counting(hold(tree))
  const opened = Mst.open(source, tree.root)
  for (const after of ['', paths[0]!, paths[250]!, `${paths[250]!}0`, paths.at(-1)!, 'zzz/zzz'])
    assert.deepEqual(
      [...opened.entries({ after })].map(([path]) => path),
      paths.filter((path) => path > after),
    )
  assert.deepEqual([...Mst.empty().entries({ after: 'a/b' })], [])
  reads.clear()
  opened.entries({ after: paths[400]! }).next()
  assert.ok(reads.size <= 8, `${reads.size} nodes read for one entry`)
})

test('nodes come before their children, and in the order of keys', () => {
  const tree = Mst.from(randomEntries(createRandom(6), 300))
  const blocks = [...tree.nodes()]
  assert.ok(blocks[0]!.cid.equals(tree.root))
  const position = new Map(blocks.map(({ cid }, index) => [String(cid), index]))
  assert.equal(position.size, blocks.length)
  const reopened = Mst.open(new BlockMap(blocks.toReversed()), tree.root)
  assert.deepEqual(
    [...reopened.nodes()].map(({ cid }) => String(cid)),
    [...position.keys()],
  )
})

test('an absent block is no fault until an operation needs it, and then has its own name', () => {
  const entries = randomEntries(createRandom(7), 120)
  const tree = Mst.from(entries)
  const blocks = hold(tree)
  let missed = 0
  for (const { cid } of tree.nodes()) {
    const partial = new BlockMap([...blocks].filter((block) => !block.cid.equals(cid)))
    const opened = Mst.open(partial, tree.root)
    for (const [path, value] of entries) {
      try {
        assert.ok(opened.get(path)!.equals(value))
      } catch (error) {
        assert.ok(
          error instanceof MissingBlockError && error.cid.equals(cid) && error.code === 'MissingBlock',
        )
        missed++
      }
    }
    assert.throws(() => [...opened.entries()], MissingBlockError)
  }
  assert.ok(missed > 100)
})

test('a root left with one absent child is that child', () => {
  // The higher key alone stands in the root; without it the root is whatever is below.
  const low = Mst.from([['app.bsky.feed.post/454397e440ec', cidOf(1)]])
  const tree = low.insert('app.bsky.feed.post/9adeb165882c', cidOf(2))
  const [root, ...below] = [...tree.nodes()]
  const passThrough = new BlockMap([root!, ...below.slice(0, -1)])
  assert.ok(below.length > 1)
  assert.ok(Mst.open(passThrough, tree.root).delete('app.bsky.feed.post/9adeb165882c').root.equals(low.root))
})

function counting(source: BlockSource): { source: BlockSource; reads: Set<string> } {
  const reads = new Set<string>()
  return {
    reads,
    source: {
      get(cid) {
        reads.add(String(cid))
        return source.get(cid)
      },
    },
  }
}
