import assert from 'node:assert/strict'
import test from 'node:test'
import type { Block } from './block-map.ts'
import { concatBytes } from './bytes.ts'
import { cidFromDigest, cidOfRaw, DRISL_CODEC, RAW_CODEC } from './cid.ts'
import { DataError } from './data-error.ts'
import { encodeVarint } from './multibase.ts'
import { readCar } from './read-car.ts'
import { streamCar } from './stream-car.ts'
import { carEntry, carHeader, writeCar } from './write-car.ts'

// What lies right on a limit, and what differs from a valid file as little as can be, read whole and as it arrives.

const blockOf = (length: number): Block => {
  const bytes = new Uint8Array(length).fill(length)
  return { cid: cidOfRaw(bytes), bytes }
}

async function readAll(file: Uint8Array): Promise<Block[]> {
  const { blocks } = await streamCar(
    (async function* () {
      yield file
    })(),
  )
  return Array.fromAsync(blocks)
}

async function assertRefused(file: Uint8Array, reason: RegExp): Promise<void> {
  const refused = (error: unknown) =>
    error instanceof DataError && error.code === 'InvalidCar' && reason.test(error.message)
  assert.throws(() => readCar(file), refused)
  await assert.rejects(readAll(file), refused)
}

test('blocks of any length around what takes another byte of varint', async () => {
  const lengths = [0x80, 0x4000, 0x20_0000].flatMap((edge) => [edge - 1, edge, edge + 1]).map((n) => n - 36)
  const sent = lengths.map(blockOf)
  const file = writeCar([sent[0]!.cid], sent)
  for (const read of [[...readCar(file).blocks], await readAll(file)])
    assert.deepEqual(
      read.map(({ cid, bytes }) => [cid.toString(), bytes.length]),
      sent.map(({ cid, bytes }) => [cid.toString(), bytes.length]),
    )
})

test('every byte of a block and of its CID counts', async () => {
  const block = blockOf(20)
  const header = carHeader([block.cid])
  const entry = carEntry(block)
  for (let at = 1; at < entry.length; at++)
    await assertRefused(concatBytes([header, entry.with(at, entry[at]! ^ 1)]), /CID|hash/)
})

test('every byte of the header that all write counts, but for the digest of its root', async () => {
  const header = carHeader([cidFromDigest(DRISL_CODEC, new Uint8Array(32).fill(7))])
  const digestAt = header.indexOf(7)
  for (let at = 1; at < header.length; at++)
    if (at < digestAt || at >= digestAt + 32) {
      if (header[at] === DRISL_CODEC) continue
      await assertRefused(header.with(at, header[at]! ^ 1), /header|version/)
    }
  // A root may be raw as well, and differ in its last byte.
  const codecAt = header.indexOf(DRISL_CODEC, 1 + 12)
  assert.equal(readCar(header.with(codecAt, RAW_CODEC)).roots[0]!.codec, RAW_CODEC)
  const root = cidFromDigest(DRISL_CODEC, new Uint8Array(32).fill(7).with(31, 8))
  assert.ok(readCar(header.with(digestAt + 31, 8)).roots[0]!.equals(root))
})

test('a length is written in as few bytes as it takes', async () => {
  const block = blockOf(20)
  const header = carHeader([block.cid])
  const body = carEntry(block).subarray(1)
  for (const length of [
    [body.length | 0x80, 0],
    [body.length | 0x80, 0x80, 0],
    [body.length | 0x80, 0x80, 0x80, 0],
  ])
    await assertRefused(concatBytes([header, Uint8Array.from(length), body]), /not a minimal varint/)
})

test('a frame too short for a CID is refused for that, whatever follows it', async () => {
  const header = carHeader([])
  const next = carEntry(blockOf(20))
  for (const length of [0, 1, 35])
    await assertRefused(
      concatBytes([header, encodeVarint(length), next.subarray(1, 1 + length), next]),
      /too short for a CID/,
    )
})

test('a fault is said to be where it is', async () => {
  const entries = [carHeader([]), carEntry(blockOf(20)), carEntry(blockOf(200))]
  const offset = entries[0]!.length + entries[1]!.length
  await assertRefused(
    concatBytes([...entries, Uint8Array.of(0)]),
    new RegExp(`at byte ${offset + entries[2]!.length},`),
  )
  const file = concatBytes(entries)
  await assertRefused(file.with(file.length - 1, 0), new RegExp(`at byte ${offset},`))
})

test('a file that ends within a block, or within its length, is cut off', async () => {
  const file = writeCar([], [blockOf(300), blockOf(300)])
  const { length } = carHeader([])
  for (const end of [1, length - 1, length + 1, length + 20, file.length - 300, file.length - 1])
    await assertRefused(file.subarray(0, end), /cut off/)
})
