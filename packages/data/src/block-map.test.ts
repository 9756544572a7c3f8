import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { type Block, BlockMap } from './block-map.ts'
import { cidFromDigest, cidOfDrisl, cidOfRaw, DRISL_CODEC, RAW_CODEC } from './cid.ts'
import { encode } from './encode.ts'
import { readCar } from './read-car.ts'
import { carHeader, writeCar } from './write-car.ts'

const blockOf = (n: number): Block => {
  const bytes = encode({ n })
  return { cid: cidOfDrisl(bytes), bytes }
}

test('blocks are found by their CID, in the order in which they came', () => {
  const blocks = Array.from({ length: 400 }, (_, n) => blockOf(n))
  const map = new BlockMap(blocks)
  assert.equal(map.size, 400)
  assert.equal(
    map.byteLength,
    blocks.reduce((total, { bytes }) => total + bytes.length, 0),
  )
  // Another instance of the CID finds it as well.
  for (const { bytes } of blocks) assert.equal(map.get(cidOfDrisl(bytes)), map.get(cidOfDrisl(bytes.slice())))
  assert.deepEqual([...map], blocks)
  assert.equal(map.get(blockOf(400).cid), undefined)
  assert.equal(map.has(blockOf(400).cid), false)
})

test('it does what a Map by text does', () => {
  const random = createRandom(7)
  const blocks = Array.from({ length: 300 }, (_, n) => blockOf(n))
  const map = new BlockMap()
  const model = new Map<string, Block>()
  for (let step = 0; step < 10_000; step++) {
    const { cid } = random.pick(blocks)
    if (random.chance(0.5)) {
      const bytes = random.bytes(random.int(4))
      map.set(cid, bytes)
      const kept = model.get(cid.toString())
      model.set(cid.toString(), { cid: kept === undefined ? cid : kept.cid, bytes })
    } else assert.equal(map.delete(cid), model.delete(cid.toString()))
    if (step % 1000 === 0) {
      assert.deepEqual([...map], [...model.values()])
      assert.equal(map.size, model.size)
      assert.equal(
        map.byteLength,
        [...model.values()].reduce((total, { bytes }) => total + bytes.length, 0),
      )
      for (const block of blocks) {
        assert.equal(map.get(block.cid), model.get(block.cid.toString())?.bytes)
        assert.equal(map.has(block.cid), model.has(block.cid.toString()))
        assert.equal(map.getLinked(block.cid.bytes, 0), model.get(block.cid.toString())?.bytes)
      }
    }
  }
})

test('blocks are found by where their CID stands, in a map of a file as in any other', () => {
  const blocks = Array.from({ length: 50 }, (_, n) => blockOf(n))
  const file = writeCar([], blocks)
  for (const map of [new BlockMap(blocks), readCar(file).blocks])
    for (const { cid, bytes } of blocks) {
      const link = encode({ link: cid })
      const at = link.length - cid.bytes.length
      assert.deepEqual(map.getLinked(link, at), bytes)
      for (let byte = 0; byte < cid.bytes.length; byte++)
        assert.equal(map.getLinked(link.with(at + byte, link[at + byte]! ^ 1), at), undefined)
    }
})

test('`add` names a DRISL block by its bytes', () => {
  const map = new BlockMap()
  const bytes = encode({ a: 1 })
  const cid = map.add(bytes)
  assert.ok(cid.equals(cidOfDrisl(bytes)))
  assert.equal(map.get(cid), bytes)
  assert.equal(map.add(bytes.slice()).toString(), cid.toString())
  assert.equal(map.size, 1)
})

test('the codec counts: raw bytes are not the DRISL block of the same bytes', () => {
  const bytes = encode({ a: 1 })
  const map = new BlockMap().set(cidOfRaw(bytes), bytes)
  assert.equal(map.has(cidOfDrisl(bytes)), false)
  map.add(bytes)
  assert.equal(map.size, 2)
})

test('digests that share the bytes they are hashed by are told apart', () => {
  const blocks: Block[] = []
  for (let n = 0; n < 600; n++) {
    const digest = new Uint8Array(32)
    // All share the first eight bytes; half also share all but the last.
    digest[n % 2 === 0 ? 31 : 12] = n & 0xff
    digest[20] = n >> 8
    blocks.push({ cid: cidFromDigest(n < 300 ? DRISL_CODEC : RAW_CODEC, digest), bytes: Uint8Array.of(n) })
  }
  const unique = new Map(blocks.map((block) => [block.cid.toString(), block]))
  const map = new BlockMap(unique.values())
  assert.equal(map.size, unique.size)
  for (const { cid, bytes } of unique.values()) assert.equal(map.get(cid), bytes)
})

test('blocks may be deleted while they are iterated', () => {
  const map = new BlockMap(Array.from({ length: 100 }, (_, n) => blockOf(n)))
  for (const { cid } of map) map.delete(cid)
  assert.equal(map.size, 0)
  assert.equal(map.byteLength, 0)
  assert.deepEqual([...map], [])
})

test('blocks that lie in a CAR file behave as any other', () => {
  const blocks = Array.from({ length: 200 }, (_, n) => blockOf(n))
  const file = writeCar([], blocks)
  const map = readCar(file).blocks
  const other = new BlockMap([blockOf(500)])
  const header = carHeader([]).length
  other.setFrame(file, header).setFrame(file, header).setFrame(file.slice(), header)
  assert.deepEqual([...other], [blockOf(500), blocks[0]])
  other.setFrame(writeCar([], [blockOf(501)]), header)
  assert.deepEqual([...other], [blockOf(500), blocks[0], blockOf(501)])

  const more = Array.from({ length: 200 }, (_, n) => blockOf(n + 150))
  map.addAll(more)
  for (const { cid } of blocks.slice(0, 100)) assert.ok(map.delete(cid))
  const left = [...blocks.slice(100), ...more.slice(50)]
  assert.deepEqual([...map], left)
  assert.equal(map.size, left.length)
  assert.equal(
    map.byteLength,
    left.reduce((total, { bytes }) => total + bytes.length, 0),
  )
  for (const { cid, bytes } of left) assert.deepEqual(map.get(cid), bytes)
  for (const { cid } of blocks.slice(0, 100)) assert.ok(!map.has(cid))
})
