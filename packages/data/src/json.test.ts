import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { findBlobRefs, isBlobRef } from './blob-ref.ts'
import { cidOfDrisl, cidOfRaw } from './cid.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { fromJson, parse, stringify, toJson } from './json.ts'
import { anyValue } from './lib/any-value.fixture.ts'
import { type DataMap, isDataMap, type Value } from './value.ts'

const link = cidOfDrisl(Uint8Array.of(1))
const blob = { $type: 'blob', ref: cidOfRaw(Uint8Array.of(2)), mimeType: 'image/png', size: 1 }

type Case = { note: string; json: unknown }

vectorTest('valid JSON of the data model is read, and comes back', (vectors) => {
  for (const { note, json } of vectors.json<Case[]>(
    'atproto-interop-tests/data-model/data-model-valid.json',
  )) {
    const value = fromJson(json)
    assert.ok(isDataMap(value), note)
    assert.deepEqual(toJson(decode(encode(value))), json, note)
  }
})

vectorTest('invalid JSON of the data model is refused', (vectors) => {
  const cases = vectors.json<Case[]>('atproto-interop-tests/data-model/data-model-invalid.json')
  assert.ok(cases.length >= 10)
  // A text is a value, but no record.
  for (const { note, json } of cases)
    if (note === 'top-level not an object') assert.ok(!isDataMap(fromJson(json)), note)
    else assert.throws(() => fromJson(json), { name: 'DataError', code: 'InvalidJson' }, note)
})

test('values come back from JSON, unless a map looks like the form of something else', () => {
  const random = createRandom(3)
  let compared = 0
  while (compared < 200) {
    const value = anyValue(random)
    if (hasDollarType(value)) continue
    compared++
    assert.deepEqual(fromJson(toJson(value)), value)
    assert.deepEqual(parse(stringify(value)), value)
    assert.equal(stringify(value), JSON.stringify(toJson(value)))
  }
})

function hasDollarType(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasDollarType)
  return isDataMap(value) && ('$type' in value || Object.values(value).some(hasDollarType))
}

test('links, bytes and blobs have a form of their own', () => {
  const value = { a: link, b: Uint8Array.of(0xfb, 0xff), c: [blob] }
  const json = {
    a: { $link: link.toString() },
    b: { $bytes: '+/8' },
    c: [{ $type: 'blob', ref: { $link: blob.ref.toString() }, mimeType: 'image/png', size: 1 }],
  }
  assert.deepEqual(toJson(value), json)
  assert.equal(stringify(value), JSON.stringify(json))
  assert.deepEqual(fromJson(json), value)
  assert.deepEqual(fromJson({ $bytes: '+/8=' }), Uint8Array.of(0xfb, 0xff))
  assert.deepEqual(parse('{"a":1.0,"b":-5e2}'), { a: 1, b: -500 })
})

const refused: [json: string, message: RegExp][] = [
  ['{"a":[1,{"b":1.5}]}', /\/a\/1\/b: 1\.5/],
  ['{"a":9007199254740992}', /\/a: 9007199254740992/],
  ['{"a":1e400}', /\/a: Infinity/],
  ['{"a":-0}', /\/a: -0/],
  ['{"a":"\\ud800"}', /\/a: text with a lone surrogate/],
  ['{"\\udc00":1}', /lone surrogate/],
  ['{"a":{"$link":"."}}', /\/a: not a CID/],
  ['{"a":{"$link":null}}', /\/a: \$link/],
  ['{"a":{"$link":"x","b":1}}', /\/a: \$link beside/],
  ['{"a":{"$bytes":1}}', /\/a: \$bytes/],
  ['{"a":{"$bytes":"&"}}', /\/a: not base64/],
  ['{"a":{"$bytes":"","$link":""}}', /\/a: \$link beside/],
  ['{"a":{"$type":""}}', /\/a: \$type ""/],
  ['{"a":{"$type":"blob"}}', /\/a: a blob/],
  ['{"a":1', /^not JSON/],
  ['', /^not JSON/],
]

test('JSON without a data-model form is refused, naming the path', () => {
  for (const [json, message] of refused)
    assert.throws(() => parse(json), { name: 'DataError', code: 'InvalidJson', message }, json)
  for (const json of [undefined, 1n, () => 1, new Date(), new Map(), link, [undefined], { a: undefined }])
    assert.throws(() => fromJson(json), { code: 'InvalidJson' })
})

test('depth and entries have bounds', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  assert.ok(parse(nested(128)))
  assert.throws(() => parse(nested(129)), { code: 'LimitExceeded' })
  assert.throws(() => parse(nested(100_000)), { code: 'LimitExceeded' })
  assert.throws(() => parse(nested(3), { maxDepth: 2 }), { code: 'LimitExceeded' })
  assert.deepEqual(parse(`[{"$link":"${link}"}]`, { maxDepth: 1 }), [link])
  assert.throws(() => parse('[1,2,3]', { maxEntries: 2 }), { code: 'LimitExceeded' })
  assert.throws(() => parse('{"a":1,"b":2}', { maxEntries: 1 }), { code: 'LimitExceeded' })
  const cycle: Value[] = []
  cycle.push(cycle)
  assert.throws(() => toJson(cycle), { code: 'LimitExceeded' })
  assert.throws(() => stringify(cycle), { code: 'LimitExceeded' })
})

test('what the data model cannot hold has no JSON form either', () => {
  const values: unknown[] = [
    undefined,
    1.5,
    -0,
    Number.NaN,
    1n,
    new Date(0),
    { a: undefined },
    [() => 1],
    'x\ud800',
  ]
  for (const value of values) {
    assert.throws(() => toJson(value as Value), { code: 'InvalidValue' }, String(value))
    assert.throws(() => stringify(value as Value), { code: 'InvalidValue' }, String(value))
  }
})

test('`__proto__` is a key like any other', () => {
  const value = parse('{"__proto__":{"a":1}}') as DataMap
  assert.deepEqual(Object.keys(value), ['__proto__'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.equal(stringify(value), '{"__proto__":{"a":1}}')
})

test('blob references are told by their shape, and found wherever they are', () => {
  assert.ok(isBlobRef(blob))
  for (const not of [
    null,
    [],
    { ...blob, $type: 'image' },
    { ...blob, ref: blob.ref.toString() },
    { ...blob, mimeType: '' },
    { ...blob, size: -1 },
    { ...blob, size: 1.5 },
    { ...blob, size: '1' },
    { ...blob, alt: '' },
    { cid: blob.ref.toString(), mimeType: 'image/png' },
  ])
    assert.ok(!isBlobRef(not))
  const other = { ...blob, size: 2 }
  assert.deepEqual(findBlobRefs({ a: blob, b: [{ c: other }, blob.ref, null], d: blob }), [blob, other, blob])
  assert.deepEqual(findBlobRefs('text'), [])
})
