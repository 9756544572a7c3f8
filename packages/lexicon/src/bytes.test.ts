import assert from 'node:assert/strict'
import test from 'node:test'
import { DataError, decode, encode, RECORD_LIMITS, type Value } from '@imago/data'
import { fuzzBriefly } from '@imago/sim/fuzz'
import { createBytesChecks } from './bytes.ts'
import { createCatalog } from './catalog.ts'
import { EVERYTHING, EXAMPLE, targets } from './lexicon.fuzz.ts'
import { createVouchers } from './lib/compile-bytes.ts'
import { cursorOf } from './lib/drisl-cursor.ts'
import { createResolver } from './lib/resolve.ts'

const TYPE = 'com.example.everything'
const catalog = createCatalog([EVERYTHING])
const check = createBytesChecks(catalog)(TYPE)!
const schema = catalog.record(TYPE)!
const example = encode(EXAMPLE)

/** Whether the walk over the bytes needs no decoder to say "valid". */
function vouches(bytes: Uint8Array): boolean {
  const definition = createResolver([EVERYTHING]).definition(TYPE)!
  const cursor = cursorOf(bytes)
  return createVouchers(RECORD_LIMITS)(definition)(cursor, 'strict', 0) && cursor.at === bytes.length
}

test('valid bytes of every type are vouched for without making a value', () => {
  assert.equal(check(example), undefined)
  assert.equal(check(example, 'closed'), undefined)
  assert.ok(vouches(example))
})

test('what is valid in an unusual way is judged as a value', () => {
  const unusual = encode({
    ...(EXAMPLE as object),
    datetime: '2024-02-29T00:00:00+01:00',
    shown: '\u0301a\u0301b\u0301',
  } as Value)
  assert.ok(!vouches(unusual))
  assert.equal(check(unusual), undefined)
})

test('issues are those of the value', () => {
  assert.deepEqual(check(encode({ $type: TYPE, objects: [{ a: 1 }, { a: 'x' }] })), {
    path: '/objects/1/a',
    message: 'must be an integer, not "x"',
  })
  assert.equal(check(encode({ $type: 'com.example.other' }))?.path, '/$type')
  assert.equal(check(encode([]))?.message, 'must be an object, not an array of 0')
})

test('every byte of a record, swapped: the verdict is that of the value', () => {
  for (let at = 0; at < example.length; at++)
    for (const flip of [1, 0x20, 0x80]) {
      const bytes = example.slice()
      bytes[at]! ^= flip
      assert.deepEqual(
        verdict(() => check(bytes)),
        verdict(() => schema.check(decode(bytes, RECORD_LIMITS))),
        `byte ${at} ^ ${flip}`,
      )
    }
})

test('a record cut off anywhere, or with more behind it, is no record', () => {
  for (let end = 0; end < example.length; end++)
    assert.throws(() => check(example.subarray(0, end)), DataError)
  assert.throws(() => check(Uint8Array.of(...example, 0)), DataError)
})

test('the limits of records hold: nesting, size, keys', () => {
  const nested = (depth: number): Value => (depth === 0 ? 1 : [nested(depth - 1)])
  const record = (unknown: Value) => encode({ $type: TYPE, unknown: { deep: unknown } })
  assert.equal(check(record(nested(30))), undefined)
  assert.throws(() => check(record(nested(31))), { code: 'LimitExceeded' })
  assert.throws(() => check(record('x'.repeat(2 ** 20))), { code: 'LimitExceeded' })
  assert.throws(() => check(encode({ $type: TYPE, ['x'.repeat(8193)]: 1 })), { code: 'LimitExceeded' })
})

test('keys twice or out of order are refused, where the schema knows them and where not', () => {
  const entry = (key: string) => [...encode(key), ...encode(1)]
  const record = (...keys: string[]) =>
    Uint8Array.of(0xa1 + keys.length, ...encode('$type'), ...encode(TYPE), ...keys.flatMap(entry))
  assert.equal(check(record('integer')), undefined)
  assert.equal(check(record('integer', 'unheardOf')), undefined)
  for (const keys of [
    ['integer', 'integer'],
    ['unheardOf', 'unheardOf'],
    ['unheardOf', 'integer'],
    ['integer', 'atMost'],
    ['n', 'integer'],
  ])
    assert.throws(() => check(record(...keys)), DataError, keys.join())
})

test('there is no check of what the catalog does not define', () => {
  const checks = createBytesChecks(catalog)
  for (const ref of ['com.example.gone', `${TYPE}#token`, `${TYPE}#none`])
    assert.equal(checks(ref), undefined)
})

function verdict(judge: () => unknown): unknown {
  try {
    return judge()
  } catch (error) {
    assert.ok(error instanceof DataError)
    return error.message
  }
}

for (const target of targets)
  test(`${target.name}: mutants find no bug`, () => fuzzBriefly(target, { executions: 600 }))

test('text is UTF-8 to the last byte, as a decoder reads it', () => {
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
  const record = (text: readonly number[]) =>
    Uint8Array.of(
      0xa2,
      ...encode('$type'),
      ...encode(TYPE),
      ...encode('unheardOf'),
      0x60 + text.length,
      ...text,
    )
  for (let lead = 0xbf; lead <= 0xff; lead++)
    for (const second of edges)
      for (const tail of [[], [0x80], [0xbf, 0x80], [0x80, 0x41], [0x80, 0x80, 0x41]]) {
        const bytes = record([lead, second, ...tail])
        assert.deepEqual(
          verdict(() => check(bytes)),
          verdict(() => schema.check(decode(bytes, RECORD_LIMITS))),
          String([lead, second, ...tail]),
        )
      }
})
