import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfDrisl, cidOfRaw } from './cid.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { fromJson, parse, stringify, toJson } from './json.ts'
import { fromHex, toHex } from './multibase.ts'
import { readCar } from './read-car.ts'
import type { DataMap, Value } from './value.ts'
import { writeCar } from './write-car.ts'

// What others fell for, as far as it concerns the data model: the traps of the requirements, by file and number.

const block = encode({ a: 1 })
const cid = cidOfDrisl(block)

test('trap lexicon 7: absent, null, false and [] are four values, each with its own CID', () => {
  const values: DataMap[] = [{}, { a: null }, { a: false }, { a: [] }]
  assert.equal(new Set(values.map((value) => cidOfDrisl(encode(value)).toString())).size, 4)
  for (const value of values) {
    assert.deepEqual(decode(encode(value)), value)
    assert.deepEqual(parse(stringify(value)), value)
  }
  assert.throws(() => encode({ a: undefined } as unknown as Value), /undefined/)
})

test('trap lexicon 9: a datetime stays the text that it was, whatever its digits', () => {
  for (const createdAt of [
    '2026-01-01T00:00:00.123456789Z',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01T00:00:00.10Z',
  ])
    assert.deepEqual(decode(encode(parse(`{"createdAt":"${createdAt}"}`))), { createdAt })
})

test('traps lexicon 11 and sync 10: an integer is a number or refused, never a bigint', () => {
  assert.equal(decode(fromHex('1b001fffffffffffff')), Number.MAX_SAFE_INTEGER)
  assert.equal(decode(fromHex('1b0000000100000000')), 2 ** 32)
  for (const hex of [
    '1b0020000000000000',
    '1bffffffffffffffff',
    '3b001fffffffffffff',
    'c249010000000000000000',
  ])
    assert.throws(() => decode(fromHex(hex)), { code: 'InvalidCbor' })
  assert.throws(() => encode(1n as unknown as Value), /a bigint/)
  assert.throws(() => fromJson(1n), /a bigint/)
})

test('trap lexicon 12: 1.0 in JSON is the integer 1; in CBOR a float is refused, whole or not', () => {
  assert.equal(toHex(encode(parse('{"a":1.0}'))), 'a1616101')
  for (const hex of ['f93c00', 'fa3f800000', 'fb3ff0000000000000', 'f97e00', 'f97c00'])
    assert.throws(() => decode(fromHex(hex)), /a float/)
  assert.throws(() => encode(1.5), /1\.5/)
  assert.throws(() => parse('1.5'), /1\.5/)
})

test('trap sync 18: a map without one of its keys encodes as it did, `prev: null` included', () => {
  const unsigned = {
    did: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
    rev: '3jzfcijpj2z2a',
    data: cid,
    prev: null,
    version: 3,
  }
  const { sig, ...rest } = decode(encode({ ...unsigned, sig: new Uint8Array(64) })) as DataMap
  assert.ok(sig instanceof Uint8Array)
  assert.equal(toHex(encode(rest)), toHex(encode(unsigned)))
  assert.match(toHex(encode(rest)), /6470726576f6/)
})

test('trap sync 21: order is that of bytes, not of UTF-16', () => {
  // U+E000 comes before U+10000, but its unit after the surrogates.
  const map = { '\u{10000}': 1, '\ue000_': 2 }
  assert.deepEqual(Object.keys(decode(encode(map)) as DataMap), ['\ue000_', '\u{10000}'])
  assert.throws(() => decode(fromHex('a264f09080800164ee80805f02')), /out of order/)
})

test('trap sync 25: the empty tree is a block with `l: null` and `e: []`', () => {
  assert.equal(toHex(encode({ l: null, e: [] })), 'a2616580616cf6')
  assert.equal(
    cidOfDrisl(encode({ l: null, e: [] })).toString(),
    'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
  )
})

test('trap sync 27: every byte of every block counts, whatever its label says', () => {
  const file = writeCar(
    [cid],
    [
      { cid, bytes: block },
      { cid: cidOfRaw(block), bytes: block },
    ],
  )
  const header = writeCar([cid], []).length
  for (let at = header; at < file.length; at++)
    for (const bit of [1, 0x80]) {
      const damaged = file.with(at, file[at]! ^ bit)
      const names = attempt(() =>
        [...readCar(damaged).blocks].map(({ cid, bytes }) => [String(cid), toHex(bytes)]),
      )
      // Only the codec is not covered by a hash: then it is another name for the same bytes.
      if (names !== undefined) for (const [, bytes] of names) assert.equal(bytes, toHex(block))
    }
})

test('trap sync 28: several roots are legal, and the first stays the first', () => {
  const roots = [cidOfRaw(block), cid, cidOfRaw(block)]
  assert.deepEqual(readCar(writeCar(roots, [{ cid, bytes: block }])).roots, roots)
})

test('trap sync 30: fields that nobody knows survive', () => {
  const op = { action: 'delete', path: 'a/b', cid: null, prev: cid, later: { x: [1, new Uint8Array(2)] } }
  assert.deepEqual(decode(encode(op)), op)
  assert.deepEqual(fromJson(toJson(op)), op)
})

test('trap sync 57: links and bytes have their JSON forms, and nothing is dropped or mangled', () => {
  assert.equal(stringify({ a: cid, b: Uint8Array.of(1) }), `{"a":{"$link":"${cid}"},"b":{"$bytes":"AQ"}}`)
  for (const value of [{ a: undefined }, { a: 1n }, { a: 0.5 }])
    assert.throws(() => stringify(value as unknown as Value), { code: 'InvalidValue' })
})

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
