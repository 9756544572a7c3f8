import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockMap, parseCid } from '@imago/data'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { invertInOrder, invertOps } from './invert.ts'
import { Mst } from './mst.ts'
import { cidOf, randomEntries } from './naive-tree.fixture.ts'
import { coveringProof } from './proof.ts'
import { permutations, randomCommit } from './random-commit.fixture.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'
import type { RepoOp } from './repo-op.ts'

interface Fixture {
  comment: string
  leafValue: string
  keys: string[]
  adds: string[]
  dels: string[]
  rootBeforeCommit: string
  rootAfterCommit: string
  blocksInProof: string[]
}

vectorTest(
  'proofs of the interoperability vectors: roots, blocks, and inversion in every order',
  (vectors) => {
    const fixtures = vectors.json<Fixture[]>('atproto-interop-tests/firehose/commit-proof-fixtures.json')
    assert.ok(fixtures.length >= 6)
    for (const { comment, leafValue, keys, adds, dels, ...expected } of fixtures) {
      const leaf = parseCid(leafValue)
      const before = Mst.from(keys.map((key) => [key, leaf] as const))
      assert.equal(String(before.root), expected.rootBeforeCommit, comment)
      let after = before
      for (const key of adds) after = after.insert(key, leaf)
      for (const key of dels) after = after.delete(key)
      assert.equal(String(after.root), expected.rootAfterCommit, comment)
      const proof = coveringProof(after, [...adds, ...dels])
      for (const cid of expected.blocksInProof) assert.ok(proof.has(parseCid(cid)), `${comment}: ${cid}`)
      const ops: RepoOp[] = [
        ...adds.map((path) => ({ action: 'create' as const, path, cid: leaf, prev: null })),
        ...dels.map((path) => ({ action: 'delete' as const, path, cid: null, prev: leaf })),
      ]
      const fixtureBlocks = new BlockMap(
        [...after.nodes()].filter(({ cid }) => expected.blocksInProof.includes(String(cid))),
      )
      for (const blocks of [proof, fixtureBlocks])
        for (const order of permutations(ops)) {
          const partial = Mst.open(blocks, after.root)
          assert.equal(String(invertInOrder(partial, order).root), expected.rootBeforeCommit, comment)
          assert.equal(String(invertOps(partial, order).root), expected.rootBeforeCommit, comment)
        }
    }
  },
)

test('any commit is undone out of nothing but its proof, in any order', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = createRandom(seed)
    const { before, after, ops } = randomCommit(random, random.int(300), 1 + random.int(8))
    const proof = coveringProof(
      after,
      ops.map((op) => op.path),
    )
    for (let i = 0; i < 6; i++) {
      const inverted = invertInOrder(Mst.open(proof, after.root), random.shuffle(ops))
      assert.equal(String(inverted.root), String(before.root), `seed ${seed}`)
    }
  }
})

test('small commits are undone in every order there is', () => {
  for (let seed = 0; seed < 15; seed++) {
    const random = createRandom(1000 + seed)
    const { before, after, ops } = randomCommit(random, random.int(60), 4)
    const proof = coveringProof(
      after,
      ops.map((op) => op.path),
    )
    for (const order of permutations(ops))
      assert.equal(
        String(invertInOrder(Mst.open(proof, after.root), order).root),
        String(before.root),
        `seed ${seed}`,
      )
  }
})

test('an inversion that lacks a block says so, or ends at another root: it never ends at the right one by chance', () => {
  let incomplete = 0
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom(2000 + seed)
    const { before, after, ops } = randomCommit(random, 200, 3)
    const proof = coveringProof(
      after,
      ops.map((op) => op.path),
    )
    for (const { cid } of proof) {
      const partial = new BlockMap([...proof].filter((block) => !block.cid.equals(cid)))
      try {
        const inverted = invertOps(Mst.open(partial, after.root), ops)
        // Neighbours of records that were only updated are sent, and not needed.
        assert.ok(inverted.root.equals(before.root))
      } catch (error) {
        assert.ok(error instanceof MissingBlockError)
        incomplete++
      }
    }
  }
  assert.ok(incomplete > 60)
})

test('operations that contradict the tree are refused', () => {
  const tree = Mst.from(randomEntries(createRandom(9), 50)).insert('app.bsky.feed.post/a', cidOf(1))
  const path = 'app.bsky.feed.post/a'
  const wrong: RepoOp[] = [
    { action: 'create', path, cid: cidOf(2), prev: null },
    { action: 'create', path: 'app.bsky.feed.post/b', cid: cidOf(1), prev: null },
    { action: 'create', path, cid: cidOf(1), prev: cidOf(2) },
    { action: 'create', path, cid: null, prev: null },
    { action: 'update', path, cid: cidOf(2), prev: cidOf(3) },
    { action: 'update', path: 'app.bsky.feed.post/b', cid: cidOf(1), prev: cidOf(3) },
    { action: 'update', path, cid: cidOf(1), prev: null },
    { action: 'delete', path, cid: null, prev: cidOf(1) },
    { action: 'delete', path: 'app.bsky.feed.post/b', cid: null, prev: null },
    { action: 'delete', path: 'app.bsky.feed.post/b', cid: cidOf(1), prev: cidOf(1) },
  ]
  for (const op of wrong)
    assert.throws(
      () => invertOps(tree, [op]),
      (error) => error instanceof RepoError && error.code === 'InversionMismatch',
      `${op.action} ${op.path}`,
    )
  const twice: RepoOp = { action: 'create', path, cid: cidOf(1), prev: null }
  assert.throws(() => invertOps(tree, [twice, twice]), /two operations/)
})
