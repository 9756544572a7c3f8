import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type Cid,
  cidOfDrisl,
  cidOfRaw,
  concatBytes,
  DataError,
  type DataMap,
  decode,
  encode,
  isDataMap,
  type Value,
} from '@imago/data'
import { createRandom, type Random } from '@imago/sim/random'
import { referencesOf } from '../records/record-references.ts'
import { scanRecord, UnreadableRecordError } from './scan-record.ts'

const PATH = 'app.bsky.feed.like/3jzfcijpj2z2a'
const random = createRandom(11)

const anyCid = (): Cid => (random.chance(0.2) ? cidOfDrisl : cidOfRaw)(random.bytes(random.int(2)))
const anyText = (random: Random) =>
  Array.from({ length: random.int(30) }, () =>
    random.pick(['a', 'Z', '\u0000', 'ö', '€', '😀', '\ufeff']),
  ).join('')

const blob = (): DataMap => ({ $type: 'blob', ref: anyCid(), mimeType: 'image/png', size: 70_000 })
/** Like a reference to a blob, but for one thing. */
const nearly = (): DataMap =>
  random.pick([
    { ...blob(), more: 1 },
    { ...blob(), size: -1 },
    { ...blob(), size: 2 ** 40 },
    { ...blob(), mimeType: '' },
    { ...blob(), mimeType: 1 },
    { ...blob(), $type: 'blub' },
    { ...blob(), ref: { $link: 'x' } },
    { ref: anyCid(), size: 1, $type: 'blob', mimeTypo: 'a' },
  ] as DataMap[])

function anyValue(depth: number): Value {
  const kinds: (() => Value)[] = [
    () => random.pick([null, true, false, 0, 23, 24, 255, 256, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER]),
    () => random.pick([-1, -24, -25, -300, -(2 ** 40), Number.MIN_SAFE_INTEGER]),
    () => random.bytes(random.int(300)),
    () => anyText(random),
    anyCid,
    blob,
    nearly,
    () => Array.from({ length: random.int(5) }, () => anyValue(depth + 1)),
    () => anyMap(depth + 1),
  ]
  return random.pick(depth > 4 ? kinds.slice(0, 7) : kinds)()
}

function anyMap(depth: number): DataMap {
  const map: DataMap = {}
  for (let i = random.int(6); i > 0; i--)
    map[random.pick(['subject', 'uri', 'text', 'ref', 'a', 'ö', anyText(random)])] = anyValue(depth)
  return map
}

/** What decoding says of the same bytes; `undefined` for what is no map. */
function expected(bytes: Uint8Array): unknown {
  let value: Value
  try {
    value = decode(bytes)
  } catch (error) {
    if (error instanceof DataError) return 'unreadable'
    throw error
  }
  if (!isDataMap(value)) return undefined
  const { blobs, subject } = referencesOf(PATH, value)
  return { blobs: blobs.map(({ ref }) => `${ref}`).sort(), subject }
}

function found(bytes: Uint8Array): unknown {
  try {
    const scanned = scanRecord(bytes)
    return scanned && { blobs: scanned.blobs.map((cid) => `${cid}`).sort(), subject: scanned.subject }
  } catch (error) {
    if (error instanceof UnreadableRecordError) return 'unreadable'
    throw error
  }
}

test('a scan says of a record what decoding it says', () => {
  const counts = { blobs: 0, subjects: 0 }
  for (let n = 0; n < 1500; n++) {
    const bytes = encode(n % 10 === 0 ? anyValue(0) : anyMap(0))
    const said = found(bytes) as { blobs: string[]; subject?: string } | undefined
    assert.deepEqual(said, expected(bytes))
    counts.blobs += said?.blobs.length ?? 0
    if (said?.subject !== undefined) counts.subjects++
  }
  assert.ok(counts.blobs > 300 && counts.subjects > 20, JSON.stringify(counts))
})

test('and refuses what decoding refuses, wherever a byte is another, too many or lacking', () => {
  let unreadable = 0
  for (let n = 0; n < 2500; n++) {
    const bytes = encode(anyMap(0))
    const at = random.int(bytes.length)
    const how = random.int(4)
    const other =
      how === 0
        ? bytes.slice(0, at)
        : how === 1
          ? bytes.with(at, random.int(256))
          : how === 2
            ? bytes.with(at, bytes[at]! ^ (1 << random.int(8)))
            : Uint8Array.of(...bytes, random.int(256))
    const said = found(other)
    assert.deepEqual(said, expected(other), Buffer.from(other).toString('hex'))
    if (said === 'unreadable') unreadable++
  }
  assert.ok(unreadable > 800, String(unreadable))
})

test('limits are those of decoding', () => {
  const many = (count: number, byte: number) => new Uint8Array(count).fill(byte)
  /** A map of one entry, whose key is of some length. */
  const mapOf = (keyBytes: number, ...value: Uint8Array[]) =>
    concatBytes([Uint8Array.of(0xa1, 0x79, keyBytes >> 8, keyBytes & 0xff), many(keyBytes, 0x6b), ...value])
  const nested = (depth: number) => mapOf(256, many(depth - 1, 0x81), many(1, 0))
  const items = (count: number) =>
    mapOf(256, Uint8Array.of(0x9a, 0, count >> 16, (count >> 8) & 0xff, count & 0xff), many(count, 0))
  for (const bytes of [nested(128), items(131_072), mapOf(8192, many(1, 0))])
    assert.deepEqual([found(bytes), expected(bytes)], new Array(2).fill({ blobs: [], subject: undefined }))
  for (const bytes of [nested(129), items(131_073), mapOf(8193, many(1, 0))])
    assert.deepEqual([found(bytes), expected(bytes)], ['unreadable', 'unreadable'])
})
