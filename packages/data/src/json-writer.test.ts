import assert from 'node:assert/strict'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { cidOfRaw } from './cid.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { stringify } from './json.ts'
import { JsonWriter } from './json-writer.ts'
import { anyValue } from './lib/any-value.fixture.ts'
import type { Value } from './value.ts'

const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
const written = (value: Value) => text(new JsonWriter().value(encode(value)).finish())
const cid = cidOfRaw(Uint8Array.of(1))

test('what is written is what the decoded value says', () => {
  const random = createRandom(17)
  for (let i = 0; i < 500; i++) {
    const bytes = encode(anyValue(random))
    const json = text(new JsonWriter().value(bytes).finish())
    // JavaScript moves keys that look like numbers to the front, so that the texts are compared as values.
    assert.deepEqual(JSON.parse(json), JSON.parse(stringify(decode(bytes))))
  }
})

test('texts are escaped as JSON.stringify escapes them', () => {
  const everything = String.fromCharCode(...Array.from({ length: 0x180 }, (_, code) => code))
  for (const one of [
    everything,
    '',
    '"\\/',
    'Grüße 👋\u2028\u2029\ufeff',
    'x'.repeat(70_000),
    '\u0000'.repeat(9000),
  ])
    assert.equal(written(one), JSON.stringify(one))
})

test('numbers, links and bytes have the forms of the data model', () => {
  const numbers = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER]
  const all = [...numbers, ...numbers.map((one) => -one || -1), Number.MIN_SAFE_INTEGER, null, true, false]
  assert.equal(written(all), JSON.stringify(all))
  const value = { a: cid, b: Uint8Array.of(0xfb, 0xff), c: [], d: {} }
  assert.equal(written(value), stringify(value))
  assert.equal(text(new JsonWriter().ascii('"').cid(cid.bytes).ascii('"').finish()), `"${cid}"`)
})

test('bytes that were damaged are refused, never read past their end', () => {
  const whole = encode({ a: [1, 70_000, 'text', cid, Uint8Array.of(1, 2, 3), { b: null }] })
  for (let end = 0; end < whole.length; end++)
    assert.throws(() => new JsonWriter().value(whole.subarray(0, end)), { code: 'InvalidCbor' }, `${end}`)
  assert.throws(() => new JsonWriter().value(Uint8Array.of(...whole, 0)), { code: 'InvalidCbor' })
})
