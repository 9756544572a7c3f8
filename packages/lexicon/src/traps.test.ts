import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfDrisl, cidOfRaw, DataError, decode, encode, fromJson, type Value } from '@imago/data'
import { type BytesCheck, createBytesChecks } from './bytes.ts'
import { createCatalog } from './catalog.ts'
import { generate } from './generate.ts'
import type { Mode } from './issue.ts'
import { parseLexiconDocument } from './parse-document.ts'
import type { Schema } from './schema.ts'

// What other implementations of the language are known to have fallen into, one test each.

const ID = 'com.example.thing'
const LINK = cidOfDrisl(new Uint8Array([0xa0]))
const RAW = cidOfRaw(new Uint8Array())

/** A schema that judges values twice, as they are and encoded, and has to come to the same. */
function schemaOf(main: object, more: object = {}, documents: readonly object[] = []): Schema<Value> {
  const catalog = createCatalog(
    [{ lexicon: 1, id: ID, defs: { main, ...more } }, ...documents].map(parseLexiconDocument),
  )
  const schema = catalog.def(ID)!
  const onBytes: BytesCheck = createBytesChecks(catalog)(ID)!
  return {
    ...schema,
    check(value, mode) {
      const issue = schema.check(value, mode)
      assert.deepEqual(onBytes(encode(value as Value), mode), issue)
      return issue
    },
  }
}

/** The path and message of the issue with one property. */
function judge(definition: object, value: unknown, mode?: Mode): string | undefined {
  const item = { type: 'object', properties: { n: { type: 'integer' } } }
  const issue = schemaOf({ type: 'object', properties: { field: definition } }, { item }).check(
    { field: value },
    mode,
  )
  return issue && `${issue.path} ${issue.message}`
}

test('trap 1: an inline object inside properties or items is legal, and its type has a name', () => {
  const inline = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
  const main = { type: 'object', properties: { one: inline, many: { type: 'array', items: inline } } }
  assert.equal(schemaOf(main).check({ one: { n: 1 }, many: [{ n: 2 }] }), undefined)
  assert.equal(schemaOf(main).check({ many: [{}] })?.path, '/many/0/n')
  const [file] = generate([parseLexiconDocument({ lexicon: 1, id: ID, defs: { main } })]).filter(
    ({ path }) => path === 'com/example/thing.ts',
  )
  assert.match(file!.text, /export type MainOne = \{/)
  assert.match(file!.text, /export type MainManyItem = \{|many\?: MainMany\[\]/)
})

test('trap 2: "#main" and an empty $type are no names of variants, not even in an open union', () => {
  const open = { type: 'union', refs: ['#item'] }
  for (const $type of [`${ID}#main`, 'com.example.other#main', ''])
    assert.notEqual(judge(open, { $type }), undefined, $type)
  assert.equal(judge(open, { $type: 'com.example.other' }), undefined)
})

test('trap 3: a record without $type is not of any type', () => {
  const record = schemaOf({ type: 'record', key: 'any', record: { type: 'object' } })
  assert.equal(record.check({})?.path, '/$type')
  assert.equal(record.is({}), false)
})

test('trap 4: a variant that the catalog knows and an open union does not list passes unseen', () => {
  const main = {
    type: 'object',
    properties: { field: { type: 'union', refs: ['#item'] } },
  }
  const more = {
    item: { type: 'object' },
    strict: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
  }
  const value = { field: { $type: `${ID}#strict`, n: 'not an integer' } }
  assert.equal(schemaOf(main, more).check(value), undefined)
  assert.equal(schemaOf(main, more).check(value, 'closed')?.path, '/field/$type')
})

test('trap 5: what a reference leads to need not say $type, unless it is a record', () => {
  const record = {
    lexicon: 1,
    id: 'com.example.record',
    defs: { main: { type: 'record', key: 'any', record: { type: 'object' } } },
  }
  const properties = { object: { type: 'ref', ref: '#item' }, record: { type: 'ref', ref: record.id } }
  const schema = schemaOf({ type: 'object', properties }, { item: { type: 'object' } }, [record])
  assert.equal(schema.check({ object: {}, record: { $type: record.id } }), undefined)
  assert.equal(schema.check({ object: {}, record: {} })?.path, '/record/$type')
})

test('trap 6: nullable is a list of the object that holds the field', () => {
  const flag = { type: 'integer', nullable: true }
  assert.notEqual(judge(flag, null), undefined)
  const main = { type: 'object', properties: { field: { type: 'integer' } }, nullable: ['field'] }
  assert.equal(schemaOf(main).check({ field: null }), undefined)
})

test('trap 7: absent, null, false and [] are four values, and none is filled in', () => {
  const list = { type: 'array', items: { type: 'integer', default: 1 } }
  assert.equal(judge(list, []), undefined)
  for (const wrong of [null, false]) assert.notEqual(judge(list, wrong), undefined)
  const main = { type: 'object', properties: { field: { type: 'integer', default: 5 } } }
  const value = {}
  assert.deepEqual(encode(schemaOf(main).parse(value)), encode(value))
})

test('trap 8: maxLength counts bytes of UTF-8, maxGraphemes what a reader sees', () => {
  assert.notEqual(judge({ type: 'string', maxLength: 3 }, '\u00e9\u00e9'), undefined)
  assert.equal(judge({ type: 'string', maxLength: 4 }, '\u00e9\u00e9'), undefined)
  const family = '\u{1f469}\u200d\u{1f469}\u200d\u{1f466}'
  assert.equal(judge({ type: 'string', maxGraphemes: 1 }, family), undefined)
  assert.notEqual(judge({ type: 'string', maxGraphemes: 1 }, `${family}a`), undefined)
  assert.equal(judge({ type: 'string', maxGraphemes: 1 }, '\r\n'), undefined)
  assert.notEqual(judge({ type: 'string', minGraphemes: 2 }, '\r\n'), undefined)
})

test('trap 9: a datetime stays the string it was, to the last digit', () => {
  const text = '2024-01-01T00:00:00.123456789+01:00'
  const schema = schemaOf({ type: 'object', properties: { field: { type: 'string', format: 'datetime' } } })
  assert.deepEqual(schema.parse({ field: text }), { field: text })
})

test('trap 10: a datetime before the year 0, which its offset makes it, is none', () => {
  const datetime = { type: 'string', format: 'datetime' }
  assert.notEqual(judge(datetime, '0000-01-01T00:00:00+01:00'), undefined)
  assert.equal(judge(datetime, '0000-01-01T01:00:00+01:00'), undefined)
})

test('trap 11: an integer above 2^53 is refused where it is decoded, and never a bigint', () => {
  const onBytes = createBytesChecks(
    createCatalog([
      parseLexiconDocument({
        lexicon: 1,
        id: ID,
        defs: { main: { type: 'object', properties: { n: { type: 'integer' } } } },
      }),
    ]),
  )(ID)!
  const large = Uint8Array.of(0xa1, 0x61, 0x6e, 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0)
  assert.throws(() => onBytes(large), { code: 'InvalidCbor' })
  const largest = encode({ n: Number.MAX_SAFE_INTEGER })
  assert.equal(onBytes(largest), undefined)
  assert.deepEqual(decode(largest), { n: Number.MAX_SAFE_INTEGER })
})

test('trap 12: 1.0 in JSON is an integer; a float in CBOR is nothing', () => {
  assert.equal(judge({ type: 'integer' }, fromJson(JSON.parse('1.0'))), undefined)
  assert.throws(() => fromJson(1.5), DataError)
  assert.throws(() => decode(Uint8Array.of(0xf9, 0x3c, 0x00)), DataError)
})

test('trap 13: a blob is raw bytes, unless the mode is lenient', () => {
  const blob = { $type: 'blob', ref: LINK, mimeType: 'image/png', size: 1 }
  assert.notEqual(judge({ type: 'blob' }, blob), undefined)
  assert.notEqual(judge({ type: 'blob' }, blob, 'closed'), undefined)
  assert.equal(judge({ type: 'blob' }, blob, 'lenient'), undefined)
})

test('trap 14: a blob of the first years has no size to be held to', () => {
  const legacy = { cid: String(RAW), mimeType: 'image/png' }
  const small = { type: 'blob', accept: ['text/plain'], maxSize: 1 }
  assert.equal(judge(small, legacy, 'lenient'), undefined)
  assert.notEqual(judge(small, legacy), undefined)
})

test('trap 15: image/* is neither "image/" nor a type with parameters', () => {
  const images = { type: 'blob', accept: ['image/*'] }
  const blob = (mimeType: string) => ({ $type: 'blob', ref: RAW, mimeType, size: 1 })
  assert.equal(judge(images, blob('image/svg+xml')), undefined)
  for (const mimeType of [
    'image/',
    'image',
    'image/png;charset=utf-8',
    'image/png ',
    'images/png',
    'image/a/b',
  ])
    assert.notEqual(judge(images, blob(mimeType)), undefined, mimeType)
})

test('trap 16: a required field may be null where it is nullable, and has to be there', () => {
  const main = {
    type: 'object',
    properties: { field: { type: 'integer' } },
    required: ['field'],
    nullable: ['field'],
  }
  assert.equal(schemaOf(main).check({ field: null }), undefined)
  assert.equal(schemaOf(main).check({ field: 1 }), undefined)
  assert.equal(schemaOf(main).check({})?.path, '/field')
})

function decodeParams(properties: object, query: string) {
  const main = { type: 'query', parameters: { type: 'params', properties } }
  const document = parseLexiconDocument({ lexicon: 1, id: ID, defs: { main } })
  return createCatalog([document]).query(ID)!.params.decode(new URLSearchParams(query))
}

test('trap 17: a scalar given twice is an error, a single value makes an array of one, an empty one is absent', () => {
  const properties = { one: { type: 'integer' }, many: { type: 'array', items: { type: 'integer' } } }
  assert.equal(decodeParams(properties, 'one=1&one=1').ok, false)
  assert.deepEqual(decodeParams(properties, 'many=1'), { ok: true, value: { many: [1] } })
  assert.deepEqual(decodeParams(properties, 'one=&many='), { ok: true, value: {} })
})

test('trap 18: in a query, +1 is a space and a digit; 01 and -0 are integers', () => {
  const n = { n: { type: 'integer' } }
  assert.equal(decodeParams(n, 'n=+1').ok, false)
  assert.deepEqual(decodeParams(n, 'n=01'), { ok: true, value: { n: 1 } })
  assert.deepEqual(decodeParams(n, 'n=-0'), { ok: true, value: { n: 0 } })
})

test('trap 19: no object is a string, however well it prints', () => {
  const schema = createCatalog([
    parseLexiconDocument({
      lexicon: 1,
      id: ID,
      defs: { main: { type: 'object', properties: { field: { type: 'string' } } } },
    }),
  ]).def(ID)!
  for (const field of [new Date(), new URL('https://example.com'), LINK, new String('a')])
    assert.equal(schema.is({ field }), false, String(field))
})
