import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import test from 'node:test'
import { blocksToCarFile, BlockMap as PeerBlocks, readCar as peerRead } from '@atproto/repo'
import { createRandom } from '@imago/sim/random'
import { type Block, BlockMap } from './block-map.ts'
import { concatBytes, equalBytes } from './bytes.ts'
import type { CarLimits } from './car-limits.ts'
import { cidOfDrisl, cidOfRaw } from './cid.ts'
import { DataError, type DataErrorCode } from './data-error.ts'
import { encode } from './encode.ts'
import { encodeVarint, fromHex } from './multibase.ts'
import { readCar } from './read-car.ts'
import { streamCar } from './stream-car.ts'
import type { Value } from './value.ts'
import { carEntry, carHeader, writeCar } from './write-car.ts'

const blocks = Array.from({ length: 12 }, (_, n): Block => {
  const bytes = encode({ n, text: 'x'.repeat(n * 40) })
  return { cid: cidOfDrisl(bytes), bytes }
})
const root = blocks[0]!.cid
const car = writeCar([root], blocks)

async function* chunksOf(bytes: Uint8Array, size: number, onEnd?: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  } finally {
    onEnd?.()
  }
}

async function readStream(bytes: Uint8Array, size: number, limits?: Partial<CarLimits>) {
  const { roots, blocks } = await streamCar(chunksOf(bytes, size), limits)
  return { roots, blocks: await Array.fromAsync(blocks) }
}

test('what is written is read, whole or in chunks of any size', async () => {
  const whole = readCar(car)
  assert.deepEqual(whole.roots, [root])
  assert.deepEqual([...whole.blocks], blocks)
  for (const size of [1, 2, 3, 7, 36, 37, 100, 1000, car.length]) {
    const streamed = await readStream(car, size)
    assert.deepEqual(streamed.roots, [root])
    assert.deepEqual(streamed.blocks, blocks)
  }
})

test('the pieces of a streaming writer make the same file', () => {
  assert.deepEqual(concatBytes([carHeader([root]), ...blocks.map(carEntry)]), car)
})

test('a peer reads ours and we read its', async () => {
  const theirs = await peerRead(car)
  assert.deepEqual(theirs.roots.map(String), [String(root)])
  assert.equal(theirs.blocks.size, blocks.length)
  for (const { bytes } of blocks)
    assert.ok(theirs.blocks.entries().some((block) => equalBytes(block.bytes, bytes)))
  const written = await blocksToCarFile(theirs.roots[0]!, theirs.blocks)
  assert.ok(theirs.blocks instanceof PeerBlocks)
  assert.deepEqual(
    [...readCar(written).blocks].map(({ cid }) => String(cid)).sort(),
    blocks.map(({ cid }) => String(cid)).sort(),
  )
})

test('several roots, none, and roots that are not among the blocks', async () => {
  const elsewhere = cidOfRaw(Uint8Array.of(1))
  for (const roots of [[root, elsewhere], [], [elsewhere]]) {
    const file = writeCar(roots, blocks)
    assert.deepEqual(readCar(file).roots, roots)
    assert.deepEqual((await readStream(file, 50)).roots, roots)
  }
  assert.equal(readCar(carHeader([root])).blocks.size, 0)
})

test('any order, duplicates and empty raw blocks', async () => {
  const shuffled = createRandom(3).shuffle([...blocks, ...blocks])
  const empty = { cid: cidOfRaw(new Uint8Array()), bytes: new Uint8Array() }
  const file = writeCar([root], [...shuffled, empty])
  const read = readCar(file).blocks
  assert.equal(read.size, blocks.length + 1)
  for (const { cid, bytes } of [...blocks, empty]) assert.deepEqual(read.get(cid), bytes)
  assert.equal((await readStream(file, 64)).blocks.length, shuffled.length + 1)
})

test('blocks of one file in memory are views, and never Buffers', () => {
  const [block] = readCar(Buffer.from(car)).blocks
  assert.equal(block!.bytes.constructor, Uint8Array)
  assert.equal(block!.cid.bytes.constructor, Uint8Array)
})

const headerOf = (value: Value): Uint8Array => {
  const header = encode(value)
  return concatBytes([encodeVarint(header.length), header])
}
const entry = carEntry(blocks[3]!)
const raw = (hex: string) => fromHex(hex)

const refused: [what: string, file: Uint8Array, code?: DataErrorCode][] = [
  ['nothing', new Uint8Array()],
  ['half a length', raw('ff')],
  ['a header that is cut off', car.subarray(0, 20)],
  ['a header of length 0', raw('00')],
  ['a header that is not CBOR', raw('01ff')],
  ['a header that is not canonical', raw('0b' + 'a26776657273696f6e01')],
  ['a header that is no map', headerOf([1])],
  ['version 2', headerOf({ version: 2, roots: [root] })],
  ['no version', headerOf({ roots: [root] })],
  ['no roots', headerOf({ version: 1 })],
  ['roots that are not links', headerOf({ version: 1, roots: [root.bytes] })],
  ['roots that are no array', headerOf({ version: 1, roots: root })],
  ['a further key', headerOf({ version: 1, roots: [root], more: 1 })],
  ['a length that is not minimal', concatBytes([carHeader([root]), raw('8000')])],
  ['an entry of length 0', concatBytes([carHeader([root]), raw('00')])],
  ['an entry shorter than a CID', concatBytes([carHeader([root]), raw('23'), root.bytes.subarray(0, 35)])],
  ['an entry that is cut off', concatBytes([carHeader([root]), entry.subarray(0, -1)])],
  ['an entry whose CID is cut off', concatBytes([carHeader([root]), entry.subarray(0, 20)])],
  ['half a length at the end', concatBytes([car, raw('ff')])],
  ['another kind of CID', concatBytes([carHeader([root]), entry.with(2, 0x70)])],
  ['bytes that do not have the hash', concatBytes([carHeader([root]), entry.with(entry.length - 1, 0)])],
  ['a hash that the bytes do not have', concatBytes([carHeader([root]), entry.with(20, entry[20]! ^ 1)])],
  ['a header bomb', concatBytes([raw('ffffffff7f')]), 'LimitExceeded'],
  ['a long header', concatBytes([encodeVarint(16_385), new Uint8Array(16_385)]), 'LimitExceeded'],
  ['an endless length', concatBytes([carHeader([root]), raw('ffffffffffffffffff01')]), 'LimitExceeded'],
  ['a block bomb', concatBytes([carHeader([root]), encodeVarint(2 ** 40)]), 'LimitExceeded'],
]

test('a file that is not a CAR, or a block that is not what its CID says, is refused', async () => {
  for (const [what, file, code = 'InvalidCar'] of refused) {
    const expected = { name: 'DataError', code }
    assert.throws(() => readCar(file), expected, what)
    for (const size of [1, 5, 1000]) await assert.rejects(readStream(file, size), expected, what)
  }
})

test('limits: header, block, count, total', async () => {
  const limits: [Partial<CarLimits>, Partial<CarLimits>][] = [
    [{ maxHeaderBytes: 58 }, { maxHeaderBytes: 57 }],
    [{ maxBlockBytes: 452 }, { maxBlockBytes: 451 }],
    [{ maxBlocks: 12 }, { maxBlocks: 11 }],
    [{ maxBytes: car.length }, { maxBytes: car.length - 1 }],
  ]
  assert.equal(Math.max(...blocks.map(({ bytes }) => bytes.length)), 452)
  for (const [enough, tooLittle] of limits) {
    assert.equal(readCar(car, enough).blocks.size, 12)
    assert.equal((await readStream(car, 100, enough)).blocks.length, 12)
    assert.throws(() => readCar(car, tooLittle), { code: 'LimitExceeded' })
    await assert.rejects(readStream(car, 100, tooLittle), { code: 'LimitExceeded' })
  }
})

test('mutated files are read or refused, alike in both readers', async () => {
  const random = createRandom(5)
  let accepted = 0
  for (let run = 0; run < 150; run++) {
    const file = random.chance(0.3) ? car.slice(0, random.int(car.length)) : car.slice()
    if (file.length > 0 && random.chance(0.7)) file[random.int(file.length)] = random.int(256)
    const outcomes = await Promise.all([
      attempt(() => [...readCar(file).blocks].length),
      attempt(async () => new BlockMap((await readStream(file, 1 + random.int(200))).blocks).size),
    ])
    assert.equal(outcomes[0], outcomes[1])
    if (typeof outcomes[0] === 'number') accepted++
  }
  assert.ok(accepted > 0 && accepted < 150)
})

async function attempt(read: () => number | Promise<number>): Promise<number | string> {
  try {
    return await read()
  } catch (error) {
    assert.ok(error instanceof DataError, String(error))
    return error.code
  }
}

test('the source is ended on every way out', async () => {
  const bad = concatBytes([car, raw('ff')])
  const ways: [string, (file: AsyncGenerator<Uint8Array>) => Promise<unknown>][] = [
    ['at the end', async (file) => Array.fromAsync((await streamCar(file)).blocks)],
    [
      'left in the middle',
      async (file) => {
        for await (const _ of (await streamCar(file)).blocks) break
      },
    ],
    ['never begun', async (file) => (await streamCar(file)).blocks.return(undefined)],
  ]
  for (const [way, leave] of ways) {
    let ends = 0
    await leave(chunksOf(car, 30, () => ends++))
    assert.equal(ends, 1, way)
  }
  for (const file of [bad, raw('01ff000000')]) {
    let ends = 0
    await assert.rejects(
      Array.fromAsync(
        (async function* () {
          yield* (await streamCar(chunksOf(file, 1, () => ends++))).blocks
        })(),
      ),
    )
    assert.equal(ends, 1)
  }
})

test('what the source throws comes through', async () => {
  async function* failing() {
    yield car.subarray(0, 200)
    throw new Error('connection lost')
  }
  const { blocks } = await streamCar(failing())
  await assert.rejects(Array.fromAsync(blocks), /connection lost/)
})

test('a length that is announced takes no memory before its bytes come', async () => {
  const announced = concatBytes([carHeader([root]), encodeVarint(2_000_000), new Uint8Array(10)])
  const gates = Array.from({ length: 100 }, () => Promise.withResolvers<void>())
  const before = process.memoryUsage().arrayBuffers
  const readers = gates.map(async ({ promise }) => {
    async function* stalled() {
      yield announced
      await promise
    }
    const { blocks } = await streamCar(stalled())
    await assert.rejects(blocks.next(), /cut off/)
  })
  await new Promise((resolve) => setImmediate(resolve))
  const taken = process.memoryUsage().arrayBuffers - before
  for (const { resolve } of gates) resolve()
  await Promise.all(readers)
  assert.ok(taken < 20_000_000, `${taken} bytes for 100 announcements of 2 MB`)
})
