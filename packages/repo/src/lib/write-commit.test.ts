import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { BlockMap, type Cid, readCar, writeCar } from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { tidFromMicros } from '@imago/syntax'
import { verifyCommitSignature } from './commit.ts'
import { invertInOrder } from './invert.ts'
import { Mst } from './mst.ts'
import { pathOf, recordOf } from './naive-tree.fixture.ts'
import { permutations } from './random-commit.fixture.ts'
import { RepoError } from './repo-error.ts'
import { type CommitResult, type RepoHead, type RepoWrite, writeCommit } from './write-commit.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const keypair = generateKeypair('k256')
const revOf = (n: number) => tidFromMicros(1_700_000_000_000_000 + n, 7)

const create = (path: string, n: number): RepoWrite => ({ action: 'create', path, block: recordOf(n) })
const update = (path: string, n: number): RepoWrite => ({ action: 'update', path, block: recordOf(n) })
const remove = (path: string): RepoWrite => ({ action: 'delete', path })

/** A store that does what a store does: keep what is new, drop what is gone. */
class Repo {
  readonly blocks = new BlockMap()
  head: RepoHead | null = null
  #n = 0
  write(writes: readonly RepoWrite[]): CommitResult {
    const rev = revOf(this.#n++)
    const result = writeCommit({ did, source: this.blocks, head: this.head, writes, rev, keypair })
    this.blocks.addAll(result.newBlocks)
    for (const cid of result.removedNodes) assert.ok(this.blocks.delete(cid), 'only what is there goes')
    this.head = { data: result.tree.root, rev }
    return result
  }
}

test('the first commit of an account without records', () => {
  const result = new Repo().write([])
  assert.equal(result.since, null)
  assert.equal(result.prevData, null)
  assert.deepEqual(result.ops, [])
  assert.equal(String(result.tree.root), 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm')
  assert.equal(result.newBlocks.size, 2)
  assert.ok(verifyCommitSignature(result.signed.bytes, keypair.publicKey))
})

test('[F2] a commit carries ops with prev, the old root, and just the blocks that undoing it in any order takes', () => {
  for (let seed = 0; seed < 5; seed++) {
    const random = createRandom(seed)
    const repo = new Repo()
    const paths = new Set(Array.from({ length: 20 + random.int(200) }, () => pathOf(random.int(5000))))
    repo.write([...paths].map((path, n) => create(path, n)))
    for (let round = 0; round < 5; round++) {
      const before = repo.head!
      const victims = random.shuffle([...paths]).slice(0, 3)
      const fresh = pathOf(6000 + random.int(5000))
      const writes = [remove(victims[0]!), update(victims[1]!, 9000 + round), remove(victims[2]!)]
      if (!paths.has(fresh)) writes.push(create(fresh, 9500 + round))
      const result = repo.write(random.shuffle(writes))
      paths.delete(victims[0]!)
      paths.delete(victims[2]!)
      paths.add(fresh)
      assert.equal(result.since, before.rev)
      assert.ok(result.prevData!.equals(before.data))
      for (const op of result.ops) {
        assert.equal(op.prev === null, op.action === 'create')
        assert.equal(op.cid === null, op.action === 'delete')
        if (op.cid !== null) assert.ok(result.frameBlocks.has(op.cid), 'new records are sent')
        if (op.prev !== null) assert.ok(!result.frameBlocks.has(op.prev), 'old records are not')
      }
      const { roots, blocks } = readCar(writeCar([result.signed.cid], result.frameBlocks))
      assert.ok(roots[0]!.equals(result.signed.cid))
      for (const order of permutations(result.ops))
        assert.ok(invertInOrder(Mst.open(blocks, result.tree.root), order).root.equals(before.data))
      for (const { cid } of result.newBlocks) assert.ok(result.frameBlocks.has(cid), 'what is new is sent')
    }
  }
})

test('a store that follows newBlocks and removedNodes holds the tree, the whole tree and nothing but the tree', () => {
  const random = createRandom(77)
  const repo = new Repo()
  const paths = new Set<string>()
  for (let round = 0; round < 50; round++) {
    const path = pathOf(random.int(60))
    const writes: RepoWrite[] = []
    if (!paths.has(path)) writes.push(create(path, round))
    else if (random.chance(0.7)) writes.push(remove(path))
    else writes.push(update(path, round))
    if (writes[0]!.action === 'delete') paths.delete(path)
    else paths.add(path)
    const { tree } = repo.write(writes)
    const nodes = new Set([...Mst.open(repo.blocks, tree.root).nodes()].map(({ cid }) => String(cid)))
    const stored = [...repo.blocks].filter(({ bytes }) => bytes[0] === 0xa2 && bytes[2] === 0x65)
    assert.deepEqual(stored.map(({ cid }) => String(cid)).sort(), [...nodes].sort(), `round ${round}`)
  }
})

test('several writes on one path are told as what they come to', () => {
  const repo = new Repo()
  repo.write([create('a.b.c/kept', 1), create('a.b.c/gone', 2)])
  const result = repo.write([
    create('a.b.c/brief', 3),
    update('a.b.c/kept', 4),
    remove('a.b.c/brief'),
    update('a.b.c/kept', 5),
    remove('a.b.c/gone'),
    create('a.b.c/gone', 6),
    create('a.b.c/new', 7),
    update('a.b.c/new', 8),
  ])
  const { cid: cid1 } = recordOf(1)
  const told = result.ops.map(({ action, path, cid, prev }) => [action, path, String(cid), String(prev)])
  assert.deepEqual(told, [
    ['update', 'a.b.c/kept', String(recordOf(5).cid), String(cid1)],
    ['update', 'a.b.c/gone', String(recordOf(6).cid), String(recordOf(2).cid)],
    ['create', 'a.b.c/new', String(recordOf(8).cid), 'null'],
  ])
  for (const n of [3, 4, 7]) assert.ok(!result.newBlocks.has(recordOf(n).cid), `record ${n} is nowhere`)
})

test('writes that come to nothing make a commit without operations, and no node', () => {
  const repo = new Repo()
  repo.write([create('a.b.c/one', 1)])
  const { data } = repo.head!
  for (const writes of [
    [],
    [update('a.b.c/one', 1)],
    [create('a.b.c/two', 2), remove('a.b.c/two')],
    [remove('a.b.c/one'), create('a.b.c/one', 1)],
  ]) {
    const result = repo.write(writes)
    assert.deepEqual(result.ops, [])
    assert.ok(result.tree.root.equals(data))
    assert.equal(result.newBlocks.size, 1)
    assert.deepEqual(result.removedNodes, [])
  }
})

test('what cannot be committed is refused, and leaves nothing behind', () => {
  const repo = new Repo()
  repo.write([create('a.b.c/one', 1)])
  const size = repo.blocks.size
  const code = (expected: string) => (error: unknown) => error instanceof RepoError && error.code === expected
  assert.throws(() => repo.write([create('a.b.c/one', 2)]), code('KeyExists'))
  assert.throws(() => repo.write([update('a.b.c/two', 2)]), code('KeyAbsent'))
  assert.throws(() => repo.write([remove('a.b.c/two')]), code('KeyAbsent'))
  assert.throws(() => repo.write([create('not-a-collection/two', 2)]), code('InvalidKey'))
  const mislabelled = { cid: recordOf(1).cid, bytes: recordOf(2).bytes }
  assert.throws(
    () => repo.write([{ action: 'create', path: 'a.b.c/two', block: mislabelled }]),
    code('InvalidBlock'),
  )
  for (const rev of [repo.head!.rev, revOf(-5)])
    assert.throws(
      () => writeCommit({ did, source: repo.blocks, head: repo.head, writes: [], rev, keypair }),
      code('StaleRev'),
    )
  assert.throws(
    () =>
      writeCommit({
        did,
        source: new BlockMap(),
        head: repo.head,
        writes: [create('a.b.c/two', 1)],
        rev: revOf(99),
        keypair,
      }),
    code('MissingBlock'),
  )
  assert.equal(repo.blocks.size, size)
})

test('a store that fetches what is missing and tries again comes to the same commit', () => {
  const repo = new Repo()
  const random = createRandom(5)
  const paths = [...new Set(Array.from({ length: 300 }, () => pathOf(random.int(5000))))]
  repo.write(paths.map((path, n) => create(path, n)))
  for (const path of random.shuffle(paths).slice(0, 25)) {
    const options = { did, head: repo.head, writes: [remove(path)], rev: revOf(50), keypair } as const
    const expected = writeCommit({ ...options, source: repo.blocks })
    const cache = new BlockMap()
    let result: CommitResult | undefined
    while (result === undefined)
      try {
        result = writeCommit({ ...options, source: cache })
      } catch (error) {
        assert.ok(error instanceof RepoError && 'cid' in error)
        const cid = error.cid as Cid
        cache.set(cid, repo.blocks.get(cid)!)
      }
    assert.ok(result.tree.root.equals(expected.tree.root))
    assert.deepEqual(result.removedNodes.map(String), expected.removedNodes.map(String))
    assert.ok(cache.size < 25)
  }
})
