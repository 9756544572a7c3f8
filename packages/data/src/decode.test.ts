import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import test from 'node:test'
import { createRandom } from '@imago/sim/random'
import { type Cid, cidOfDrisl } from './cid.ts'
import { DataError } from './data-error.ts'
import { decode, decodeFirst } from './decode.ts'
import { encode } from './encode.ts'
import { anyValue } from './lib/any-value.fixture.ts'
import { RECORD_LIMITS } from './limits.ts'
import { fromHex, toHex } from './multibase.ts'
import type { DataMap, Value } from './value.ts'

const link = toHex(encode(cidOfDrisl(new Uint8Array())))

const canonical: [hex: string, value: Value][] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['18ff', 255],
  ['190100', 256],
  ['19ffff', 65_535],
  ['1a00010000', 65_536],
  ['1affffffff', 2 ** 32 - 1],
  ['1b0000000100000000', 2 ** 32],
  ['1b001fffffffffffff', Number.MAX_SAFE_INTEGER],
  ['20', -1],
  ['37', -24],
  ['3818', -25],
  ['3903e7', -1000],
  ['3b001ffffffffffffe', Number.MIN_SAFE_INTEGER],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['40', new Uint8Array()],
  ['4301ff00', Uint8Array.of(1, 255, 0)],
  ['60', ''],
  ['6161', 'a'],
  ['62c3b6', 'ö'],
  ['64f09f9880', '😀'],
  ['63efbfbd', '\ufffd'],
  ['64efbbbf61', '\ufeffa'],
  ['80', []],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['a0', {}],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
  ['a2617a0162616102', { z: 1, aa: 2 }],
  // Three UTF-8 bytes each; in UTF-16 the second comes first.
  ['a264ee80805f0064f090808001', { '\ue000_': 0, '\u{10000}': 1 }],
]

test('canonical bytes are read, and written again as they were', () => {
  for (const [hex, value] of canonical) {
    assert.deepEqual(decode(fromHex(hex)), value, hex)
    assert.equal(toHex(encode(value)), hex)
  }
})

const refused: [hex: string, why: RegExp][] = [
  // integers
  ['1800', /shortest form/],
  ['1817', /shortest form/],
  ['190017', /shortest form/],
  ['1900ff', /shortest form/],
  ['1a0000ffff', /shortest form/],
  ['1b00000000ffffffff', /shortest form/],
  ['3817', /shortest form/],
  ['1b0020000000000000', /safe range/],
  ['1bffffffffffffffff', /safe range/],
  ['3b001fffffffffffff', /safe range/],
  ['3bffffffffffffffff', /safe range/],
  ['1c', /reserved/],
  ['1e', /reserved/],
  // lengths
  ['5f4101ff', /indefinite/],
  ['7f6161ff', /indefinite/],
  ['9f01ff', /indefinite/],
  ['bf616101ff', /indefinite/],
  ['5801ff', /shortest form/],
  ['780161', /shortest form/],
  ['980101', /shortest form/],
  ['b801616101', /shortest form/],
  // what is missing
  ['', /bytes that are there/],
  ['18', /bytes that are there/],
  ['19ff', /bytes that are there/],
  ['1a000100', /bytes that are there/],
  ['1b00000001000000', /bytes that are there/],
  ['42ff', /bytes that are there/],
  ['6261', /bytes that are there/],
  ['8201', /bytes that are there/],
  ['a1', /bytes that are there/],
  ['a16161', /bytes that are there/],
  ['9affffffff', /bytes that are there/],
  ['bb001fffffffffffff', /bytes that are there/],
  // what is too much
  ['0000', /1 bytes follow/],
  ['a000', /1 bytes follow/],
  // floats and simple values
  ['f90000', /a float/],
  ['f97e00', /a float/],
  ['fa3f800000', /a float/],
  ['fb3ff0000000000000', /a float/],
  ['f7', /undefined/],
  ['f0', /simple value/],
  ['f8ff', /simple value/],
  ['f818', /simple value/],
  ['f814', /simple value/],
  ['ff', /break/],
  // tags
  ['c000', /tag 0/],
  ['c249010000000000000000', /tag 2/],
  ['d82b00', /tag 43/],
  ['d9002a5825', /shortest form/],
  ['d82a00', /bytes that are there/],
  [link.replace('d82a5825', 'd82a7825'), /link/],
  [link.replace('d82a582500', 'd82a582501'), /link/],
  [link.replace('d82a5825', 'd82a582600'), /link/],
  [link.replace('01711220', '01701220'), /not a CID/],
  [link.replace('01711220', '02711220'), /not a CID/],
  [link.replace('01711220', '01711320'), /not a CID/],
  [link.slice(0, -2), /bytes that are there/],
  // keys
  ['a10000', /key that is not text/],
  ['a1416100', /key that is not text/],
  ['a2616100616101', /duplicate or out of order/],
  ['a2616200616101', /duplicate or out of order/],
  ['a262616100617a01', /duplicate or out of order/],
  ['a264f09080800064ee80805f01', /duplicate or out of order/],
  ['a161ff00', /not UTF-8/],
  // text
  ['61ff', /not UTF-8/],
  ['62c328', /not UTF-8/],
  ['62c080', /not UTF-8/],
  ['63eda080', /not UTF-8/],
  ['64f4908080', /not UTF-8/],
  [`7818${'61'.repeat(23)}ff`, /not UTF-8/],
]

test('everything but the one canonical form is refused, with its offset', () => {
  for (const [hex, why] of refused)
    assert.throws(
      () => decode(fromHex(hex)),
      (error) => error instanceof DataError && error.code === 'InvalidCbor' && why.test(error.message),
      hex,
    )
})

test('what a decoder accepts, the encoder writes byte by byte: mutated and random input', () => {
  const random = createRandom(1)
  const seeds = [
    ...canonical.map(([hex]) => fromHex(hex)),
    encode({ a: [cidOfDrisl(Uint8Array.of(1)), { b: new Uint8Array(40), cc: 'ünï', d: -70_000 }], zz: null }),
  ]
  let accepted = 0
  for (let run = 0; run < 4000; run++) {
    const bytes = random.chance(0.2) ? random.bytes(random.int(12)) : random.pick(seeds).slice()
    for (let i = random.int(3); i > 0 && bytes.length > 0; i--)
      bytes[random.int(bytes.length)] = random.chance(0.5)
        ? random.int(256)
        : random.pick([0x61, 0x80, 0xa1, 0x18])
    let value: Value
    try {
      value = decode(bytes)
    } catch (error) {
      assert.ok(error instanceof DataError, String(error))
      continue
    }
    accepted++
    assert.equal(toHex(encode(value)), toHex(bytes))
  }
  assert.ok(accepted > 200)
})

test('every value comes back as it was', () => {
  const random = createRandom(1)
  for (let i = 0; i < 300; i++) {
    const value = anyValue(random)
    assert.deepEqual(decode(encode(value)), value)
  }
})

test('200 kB of nested arrays are refused, and do not exhaust the stack', () => {
  const bomb = new Uint8Array(200_000).fill(0x81)
  assert.throws(() => decode(bomb), { code: 'LimitExceeded', message: /deeper than 128 levels/ })
})

test('limits: depth, entries, key, bytes', () => {
  const nested = (levels: number) => Uint8Array.of(...new Array(levels - 1).fill(0x81), 0x80)
  assert.ok(decode(nested(128)))
  assert.throws(() => decode(nested(129)), { code: 'LimitExceeded' })
  assert.ok(decode(nested(32), RECORD_LIMITS))
  assert.throws(() => decode(nested(33), RECORD_LIMITS), { code: 'LimitExceeded' })
  assert.throws(() => decode(fromHex('83010203'), { maxEntries: 2 }), { code: 'LimitExceeded' })
  assert.throws(() => decode(fromHex('a2616101616202'), { maxEntries: 1 }), { code: 'LimitExceeded' })
  assert.throws(() => decode(fromHex('a162616101'), { maxKeyBytes: 1 }), { code: 'LimitExceeded' })
  assert.throws(() => decode(fromHex('83010203'), { maxBytes: 3 }), { code: 'LimitExceeded' })
})

test('`__proto__` is a key like any other', () => {
  const bytes = fromHex('a1695f5f70726f746f5f5fa16161f5')
  const map = decode(bytes) as DataMap
  assert.deepEqual(Object.keys(map), ['__proto__'])
  assert.equal(Object.getPrototypeOf(map), Object.prototype)
  assert.equal(map['a'], undefined)
  assert.deepEqual(encode(map), bytes)
})

test('byte strings are views of the input, links are copies', () => {
  const cid = cidOfDrisl(Uint8Array.of(1))
  const input = Buffer.from(encode([Uint8Array.of(7, 8), cid]))
  const [bytes, copy] = decode(input) as [Uint8Array, Cid]
  assert.equal(bytes.constructor, Uint8Array)
  assert.equal(bytes.buffer, input.buffer)
  input.fill(0)
  assert.deepEqual(bytes, Uint8Array.of(0, 0))
  assert.ok(copy.equals(cid))
})

test('values that follow one another are read one by one', () => {
  const bytes = fromHex('a1616101f6820102')
  const first = decodeFirst(bytes)
  assert.deepEqual(first, { value: { a: 1 }, end: 4 })
  assert.deepEqual(decodeFirst(bytes, first.end), { value: null, end: 5 })
  assert.deepEqual(decodeFirst(bytes, 5), { value: [1, 2], end: 8 })
  assert.throws(() => decodeFirst(bytes, 8), { code: 'InvalidCbor' })
  assert.throws(() => decodeFirst(bytes, 9), { code: 'InvalidCbor' })
})
