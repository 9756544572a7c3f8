import assert from 'node:assert/strict'
import test from 'node:test'
import { decode as peerDecode, encode as peerEncode } from '@atproto/lex-cbor'
import { parseCid as peerCid } from '@atproto/lex-data'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { Cid, cidOfDrisl } from './cid.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { fromJson, toJson } from './json.ts'
import { compareKeys } from './key-order.ts'
import { anyMap } from './lib/any-value.fixture.ts'
import { fromBase64, toHex } from './multibase.ts'
import type { DataMap, Value } from './value.ts'

vectorTest('fixtures of the data model: bytes, CID, and back', (vectors) => {
  const fixtures = vectors.json<{ json: unknown; cbor_base64: string; cid: string }[]>(
    'atproto-interop-tests/data-model/data-model-fixtures.json',
  )
  assert.ok(fixtures.length >= 3)
  for (const { json, cbor_base64, cid } of fixtures) {
    const bytes = encode(fromJson(json))
    assert.deepEqual(bytes, fromBase64(cbor_base64))
    assert.equal(cidOfDrisl(bytes).toString(), cid)
    assert.deepEqual(toJson(decode(bytes)), json)
  }
})

/** The same value in the types of the other encoder. */
function forPeer(value: Value): unknown {
  if (value instanceof Cid) return peerCid(value.toString())
  if (Array.isArray(value)) return value.map(forPeer)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, forPeer(entry)]))
}

test('an independent encoder writes the same bytes', () => {
  const random = createRandom(2)
  for (let i = 0; i < 200; i++) {
    const map = anyMap(random)
    const bytes = encode(map)
    assert.equal(toHex(bytes), toHex(peerEncode(forPeer(map) as Parameters<typeof peerEncode>[0])))
    assert.ok(peerDecode(bytes))
  }
})

test('keys come shorter first, then bytewise, whatever their order was', () => {
  const bytes = encode({ b: 1, aa: 2, a: 3, é: 4, '': 5 })
  assert.deepEqual(Object.keys(decode(bytes) as object), ['', 'a', 'b', 'aa', 'é'])
  const keys = Array.from({ length: 200 }, (_, i) => `k${(i * 7919) % 1000}`)
  const map = Object.fromEntries(keys.map((key, i) => [key, i]))
  assert.deepEqual(Object.keys(decode(encode(map)) as object), [...keys].sort(compareKeys))
  // In UTF-16, the second would come before the first.
  assert.ok(compareKeys('\ue000_', '\u{10000}') < 0)
  assert.equal(compareKeys('same', 'same'), 0)
  assert.throws(() => compareKeys('\ud800', 'a'), { code: 'InvalidValue' })
})

test('text of every length and script', () => {
  for (const unit of ['a', 'ö', '⽘', '😀'])
    for (const length of [
      0, 1, 7, 8, 11, 16, 17, 23, 24, 31, 32, 33, 63, 85, 86, 127, 128, 255, 256, 21_845, 65_536,
    ]) {
      const text = unit.repeat(length)
      assert.equal(decode(encode(text)), text)
      assert.deepEqual(decode(encode({ [text.slice(0, 2000)]: 'ascii', b: text })), {
        [text.slice(0, 2000)]: 'ascii',
        b: text,
      })
    }
})

const refused: [what: string, value: unknown, message: RegExp][] = [
  ['undefined', { post: { langs: undefined } }, /at \/post\/langs: undefined/],
  ['a hole', { a: new Array(1) }, /at \/a\/0: undefined/],
  ['-0', { a: [{ b: -0 }] }, /at \/a\/0\/b: -0/],
  ['a float', [1.5], /at \/0: 1\.5/],
  ['NaN', Number.NaN, /at \/: NaN/],
  ['Infinity', { a: Number.POSITIVE_INFINITY }, /at \/a: Infinity/],
  ['an unsafe integer', { a: 2 ** 53 }, /at \/a: 9007199254740992/],
  ['an unsafe negative integer', { a: -(2 ** 53) }, /at \/a/],
  ['a bigint', { a: 1n }, /at \/a: a bigint/],
  ['a function', { a: () => 1 }, /at \/a: a function/],
  ['a symbol', { a: Symbol('s') }, /at \/a: a symbol/],
  ['a date', { at: new Date(0) }, /at \/at: an instance of Date/],
  ['a map', new Map(), /at \/: an instance of Map/],
  ['other views', { a: new Uint16Array(1) }, /instance of Uint16Array/],
  ['a lone surrogate', { a: 'x\ud800y' }, /at \/a: text with a lone surrogate/],
  [
    'a long text with a lone surrogate',
    { a: `${'x'.repeat(100)}\udc00` },
    /at \/a: text with a lone surrogate/,
  ],
  ['a key with a lone surrogate', { a: { '\ud800': 1 } }, /at \/a: .*lone surrogate/],
]

test('what the data model cannot hold is refused, naming the path', () => {
  for (const [what, value, message] of refused)
    assert.throws(() => encode(value as Value), { name: 'DataError', code: 'InvalidValue', message }, what)
})

test('cycles and towers are refused by depth', () => {
  const cycle: Value[] = []
  cycle.push(cycle)
  assert.throws(() => encode(cycle), { code: 'LimitExceeded', message: /128 levels/ })
  const tower = (levels: number): Value => (levels === 0 ? 1 : { a: tower(levels - 1) })
  assert.ok(encode(tower(128)))
  assert.throws(() => encode(tower(129)), { code: 'LimitExceeded' })
  assert.throws(() => encode(tower(3), { maxDepth: 2 }), { code: 'LimitExceeded' })
})

test('results stay as they are when more is encoded, after refusals as well', () => {
  const first = encode({ a: 'first' })
  const before = toHex(first)
  assert.throws(() => encode({ a: 'x'.repeat(10_000), b: 0.5 }))
  const large = encode({ a: 'y'.repeat(3_000_000) })
  assert.equal((decode(large, { maxBytes: Infinity }) as { a: string }).a.length, 3_000_000)
  for (let n = 0; n < 1000; n++) encode({ a: 'other', n }).fill(0)
  assert.equal(toHex(first), before)
})

test('maps without a prototype and Buffers are fine', () => {
  const map = Object.assign(Object.create(null), { a: Buffer.from([1, 2]) })
  assert.equal(toHex(encode(map)), 'a1616142' + '0102')
})

test('maps out of order at every level cost no more than others', () => {
  // Were each written twice, this would be 2^120 writes.
  let nested: Value = 1
  for (let level = 0; level < 120; level++) nested = { b: nested, a: 0 }
  const again = decode(encode(nested)) as DataMap
  assert.deepEqual(Object.keys(again), ['a', 'b'])
  assert.deepEqual(again, nested)
})

test('one map out of order does not disturb those around it', () => {
  const ordered = { a: 1, b: { c: [{ d: 2, ee: 3 }] } }
  const value: Value = [ordered, { z: ordered, y: ordered }, ordered, { a: { b: 1, a: 2 } }]
  assert.deepEqual(decode(encode(value)), value)
  const keys = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`key${10 + i}`, i]))
  assert.deepEqual(Object.keys(decode(encode({ keys, l: 1 }).slice()) as object), ['l', 'keys'])
  assert.deepEqual(decode(encode(keys)), keys)
})

test('what a map inherits is not part of it', () => {
  const parent = Object.assign(Object.create(null), { inherited: 1 })
  assert.deepEqual(decode(encode(Object.assign(Object.create(parent), { own: 2 }))), { own: 2 })
  Object.defineProperty(Object.prototype, 'polluted', { value: 1, enumerable: true, configurable: true })
  try {
    assert.equal(toHex(encode({ own: 2 })), 'a1636f776e02')
  } finally {
    Reflect.deleteProperty(Object.prototype, 'polluted')
  }
})

test('results of every size stand alone', () => {
  const sizes = [0, 100, 8170, 8200, 40_000, 70_000, 1_100_000]
  const results = sizes.map((size) => encode(new Uint8Array(size).fill(7)))
  for (const [i, size] of sizes.entries()) assert.deepEqual(decode(results[i]!), new Uint8Array(size).fill(7))
})

test('keys and type names that change from one map to the next, under the same keys', () => {
  const long = 'k'.repeat(70)
  const shapes: readonly DataMap[] = [
    { $type: 'a.b.c', b: 1 } as DataMap,
    { $type: 'a.b.d', b: 1 } as DataMap,
    { a: 1, $type: 'a.b.c' },
    { a: 1, b: 2, $type: 'ö.b.c' },
    { b: 2, $type: `a.b.${long}` },
    { a: 1, b: 2, $type: 'a.b.c', [long]: { a: 1 }, [`${long}l`]: { b: 1 } },
    { $type: 17 },
    { a: { a: { $type: 'x' } } },
    {},
  ]
  const random = createRandom(5)
  for (let i = 0; i < 500; i++) {
    const map: DataMap = { a: random.pick(shapes), b: [random.pick(shapes), [random.pick(shapes)]] }
    assert.equal(toHex(encode(map)), toHex(peerEncode(map as Parameters<typeof peerEncode>[0])))
  }
  assert.throws(() => encode({ $type: 'a\ud800' }), { code: 'InvalidValue', message: /at \/\$type: .*lone/ })
})

test('more keys than are kept, and those that were before, are written the same', () => {
  const known = { a: 1, b: { c: [{ d: 2, ee: 3 }] } }
  const before = toHex(encode(known))
  for (let i = 0; i < 6000; i++) {
    const map = { [`key${i}`]: { [`inner${i}`]: i } }
    assert.deepEqual(decode(encode(map)), map)
  }
  assert.equal(toHex(encode(known)), before)
})

test('values of every length end just before, at and after the end of the memory that they are written to', () => {
  const link = cidOfDrisl(new Uint8Array())
  for (let before = 7900; before < 8300; before += 3)
    for (const last of [
      link,
      2 ** 52,
      true,
      'text',
      new Uint8Array(40),
      [link, link],
      { key: link, akey: link },
    ]) {
      const value: Value = [new Uint8Array(before), last]
      assert.deepEqual(decode(encode(value)), value)
    }
  for (let filled = 32_700; filled < 32_800; filled++) {
    const value: Value = [new Uint8Array(filled), link, { a: link, b: [1, link] }]
    assert.deepEqual(decode(encode(value)), value)
  }
})
