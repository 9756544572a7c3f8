import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfDrisl, cidOfRaw, fromJson, type Value } from '@imago/data'
import { vectorTest } from '@imago/sim/infrastructure'
import { type Catalog, createCatalog } from './catalog.ts'
import type { Mode } from './issue.ts'
import { LexiconError } from './lexicon-error.ts'
import { parseLexiconDocument } from './parse-document.ts'

const FOLDER = 'atproto-interop-tests/lexicon'

interface NamedRecord {
  readonly name: string
  readonly rkey: string
  readonly data: { readonly $type: string }
}

vectorTest('interop vectors: valid records are accepted', (vectors) => {
  const catalog = createCatalog(
    vectors
      .list(`${FOLDER}/catalog`)
      .map((file) => parseLexiconDocument(vectors.json(`${FOLDER}/catalog/${file}`))),
  )
  const records = vectors.json<NamedRecord[]>(`${FOLDER}/record-data-valid.json`)
  assert.ok(records.length >= 3)
  for (const { name, rkey, data } of records) {
    const schema = catalog.record(data.$type)!
    // Two deliberate exceptions (README): blobs that are not raw bytes pass as old data only, and the bytes "123" are
    // base64 that no encoder writes.
    const json = name === 'full' ? { ...data, bytes: { $bytes: '120' } } : data
    assert.equal(schema.check(fromJson(json), name === 'full' ? 'lenient' : 'strict'), undefined, name)
    assert.ok(schema.isKey(rkey), name)
  }
})

vectorTest(
  'interop vectors: invalid records are refused, in every mode that knows their fault',
  (vectors) => {
    const catalog = createCatalog(
      vectors
        .list(`${FOLDER}/catalog`)
        .map((file) => parseLexiconDocument(vectors.json(`${FOLDER}/catalog/${file}`))),
    )
    const records = vectors.json<NamedRecord[]>(`${FOLDER}/record-data-invalid.json`)
    assert.ok(records.length >= 50)
    let judged = 0
    for (const { name, data } of records) {
      let value: Value
      try {
        value = fromJson(data)
      } catch {
        continue // Not even the data model: bytes in no base64, a blob without its fields.
      }
      judged++
      for (const mode of ['strict', 'closed'] as const)
        assert.notEqual(
          catalog.record('example.lexicon.record')!.check(value, mode),
          undefined,
          `${name}, ${mode}`,
        )
      // Old blobs are not held to size and type.
      if (!/^blob (too large|wrong type)$/.test(name))
        assert.notEqual(
          catalog.record('example.lexicon.record')!.check(value, 'lenient'),
          undefined,
          `${name}, lenient`,
        )
    }
    assert.ok(judged >= 45)
  },
)

const LINK = cidOfDrisl(new Uint8Array([0xa0]))
const RAW = cidOfRaw(new Uint8Array())

function catalogOf(defs: object, more: readonly object[] = []): Catalog {
  return createCatalog([{ lexicon: 1, id: 'com.example.thing', defs }, ...more].map(parseLexiconDocument))
}

/** The schema of one property, with the issue's path and message on one line. */
function judge(definition: object, value: unknown, mode?: Mode): string | undefined {
  const main = { type: 'object', properties: { field: definition } }
  const issue = catalogOf({
    main,
    item: { type: 'object', properties: { n: { type: 'integer' } } },
    token: { type: 'token' },
  })
    .def('com.example.thing')!
    .check({ field: value }, mode)
  return issue && `${issue.path} ${issue.message}`
}

test('records must say their type', () => {
  const record = catalogOf({ main: { type: 'record', key: 'tid', record: { type: 'object' } } }).record(
    'com.example.thing',
  )!
  assert.ok(record.is({ $type: 'com.example.thing' }))
  assert.ok(record.is({ $type: 'com.example.thing', extra: null }))
  assert.equal(record.check({})?.message, 'is missing: must be "com.example.thing"')
  assert.equal(record.check({ $type: 'com.example.thing#main' })?.path, '/$type')
  assert.equal(record.check([])?.message, 'must be an object, not an array of 0')
})

test('record keys follow the key rule', () => {
  const keys = ['3jzfcijpj2z2a', 'self', 'com.example.thing', 'a/b', '..']
  const allowed = (key: string) => {
    const schema = catalogOf({ main: { type: 'record', key, record: { type: 'object' } } }).record(
      'com.example.thing',
    )!
    assert.equal(schema.keyRule, key)
    return keys.filter((rkey) => schema.isKey(rkey))
  }
  assert.deepEqual(allowed('tid'), ['3jzfcijpj2z2a'])
  assert.deepEqual(allowed('nsid'), ['com.example.thing'])
  assert.deepEqual(allowed('any'), ['3jzfcijpj2z2a', 'self', 'com.example.thing'])
  assert.deepEqual(allowed('literal:self'), ['self'])
})

test('absent, null, false and empty are four different values', () => {
  const list = { type: 'array', items: { type: 'integer' } }
  const catalog = catalogOf({
    main: {
      type: 'object',
      properties: { may: list, must: list, none: list },
      required: ['must'],
      nullable: ['none'],
    },
  })
  const path = (value: unknown) => catalog.def('com.example.thing')!.check(value)?.path
  assert.equal(path({ must: [] }), undefined)
  assert.equal(path({ must: [], none: null }), undefined)
  assert.equal(path({ must: [], may: null }), '/may')
  assert.equal(path({ must: [], may: false }), '/may')
  assert.equal(path({ must: null }), '/must')
  assert.equal(path({}), '/must')
})

test('properties that every object inherits count only where a value has them', () => {
  const text = { type: 'string' }
  const properties = JSON.parse('{"constructor":{"type":"string"},"__proto__":{"type":"string"}}')
  const catalog = catalogOf({
    main: { type: 'object', properties },
    strict: { type: 'object', properties: { toString: text }, required: ['toString'] },
  })
  assert.equal(catalog.def('com.example.thing')!.check({}), undefined)
  assert.equal(catalog.def('com.example.thing')!.check(JSON.parse('{"__proto__":5}'))?.path, '/__proto__')
  assert.equal(catalog.def('com.example.thing#strict')!.check({})?.path, '/toString')
})

test('strings: lengths, values and formats', () => {
  assert.equal(judge({ type: 'string', maxLength: 3 }, 'aé'), undefined)
  assert.equal(
    judge({ type: 'string', maxLength: 3 }, 'éé'),
    '/field must be a string of at most 3 bytes, not "éé"',
  )
  assert.equal(
    judge({ type: 'string', minGraphemes: 2, maxLength: 30 }, '👩‍👩‍👦‍👦'),
    '/field must be a string of at most 30 bytes and at least 2 graphemes, not "👩‍👩‍👦‍👦"',
  )
  assert.equal(judge({ type: 'string', enum: ['a', 'b'] }, 'c'), '/field must be "a" or "b", not "c"')
  assert.equal(judge({ type: 'string', const: 'a' }, 'b'), '/field must be "a", not "b"')
  assert.equal(judge({ type: 'string', knownValues: ['a'] }, 'b'), undefined)
  assert.equal(judge({ type: 'string', format: 'did' }, 'alice'), '/field must be a DID, not "alice"')
  assert.match(
    judge({ type: 'string', maxLength: 3 }, 'a'.repeat(500))!,
    /, not "a{64}…" \(500 characters\)$/,
  )
  for (const wrong of [new Date(), new URL('https://example.com'), LINK, 5, null, {}])
    assert.notEqual(judge({ type: 'string' }, wrong), undefined)
})

test('integers: whole, safe, and within bounds', () => {
  assert.equal(judge({ type: 'integer', minimum: 1, maximum: 3 }, 3), undefined)
  assert.equal(
    judge({ type: 'integer', minimum: 1, maximum: 3 }, 4),
    '/field must be an integer from 1 to 3, not 4',
  )
  assert.equal(judge({ type: 'integer', enum: [4, 9] }, 5), '/field must be 4 or 9, not 5')
  for (const wrong of [1.5, 2 ** 53, Number.NaN, '1', 1n, true])
    assert.notEqual(judge({ type: 'integer' }, wrong), undefined)
})

test('bytes, links and booleans', () => {
  assert.equal(judge({ type: 'bytes', minLength: 2, maxLength: 2 }, new Uint8Array(2)), undefined)
  assert.equal(
    judge({ type: 'bytes', minLength: 2, maxLength: 2 }, new Uint8Array(3)),
    '/field must be exactly 2 bytes, not 3 bytes',
  )
  assert.equal(judge({ type: 'cid-link' }, LINK), undefined)
  assert.equal(judge({ type: 'cid-link' }, String(LINK)), `/field must be a link (CID), not "${LINK}"`)
  assert.equal(judge({ type: 'boolean', const: true }, false), '/field must be true, not false')
})

test('blobs: raw bytes of an accepted type and size', () => {
  const blob = (more: object) => ({ $type: 'blob', ref: RAW, mimeType: 'image/png', size: 5, ...more })
  const images = { type: 'blob', accept: ['image/*'], maxSize: 9 }
  assert.equal(judge(images, blob({})), undefined)
  assert.equal(
    judge(images, blob({ size: 10 })),
    '/field must be a blob of type image/* of at most 9 bytes, not an object of type "blob"',
  )
  for (const mimeType of ['image/', 'image/png;charset=utf-8', 'text/plain', '', undefined])
    assert.notEqual(judge(images, blob({ mimeType })), undefined, String(mimeType))
  assert.equal(
    judge({ type: 'blob', accept: ['*/*'] }, blob({ mimeType: 'text/plain;charset=utf-8' })),
    undefined,
  )
  for (const wrong of [
    blob({ ref: LINK }),
    blob({ ref: String(RAW) }),
    blob({ size: -1 }),
    blob({ $type: 'Blob' }),
  ])
    assert.notEqual(judge({ type: 'blob' }, wrong), undefined)
})

test('lenient: blobs and datetimes of the first years', () => {
  const legacy = { cid: String(RAW), mimeType: 'text/plain' }
  const images = { type: 'blob', accept: ['image/*'], maxSize: 9 }
  assert.notEqual(judge(images, legacy), undefined)
  assert.equal(judge(images, legacy, 'lenient'), undefined)
  assert.equal(
    judge(images, { $type: 'blob', ref: LINK, mimeType: 'text/plain', size: 10 }, 'lenient'),
    undefined,
  )
  assert.notEqual(judge(images, { cid: 5, mimeType: 'image/png' }, 'lenient'), undefined)
  const datetime = { type: 'string', format: 'datetime' }
  assert.notEqual(judge(datetime, '2023-01-01T00:00:00.000'), undefined)
  assert.equal(judge(datetime, '2023-01-01T00:00:00.000', 'lenient'), undefined)
  assert.notEqual(judge(datetime, '2023', 'lenient'), undefined)
})

test('unknown: any map but a blob', () => {
  const unknown = { type: 'unknown' }
  assert.equal(judge(unknown, { $type: 'anything at all', deep: [null] }), undefined)
  for (const wrong of [{ $type: 'blob' }, new Uint8Array(), LINK, [], null, 'a', false])
    assert.notEqual(judge(unknown, wrong), undefined)
})

test('references do not ask for $type; unions do', () => {
  assert.equal(judge({ type: 'ref', ref: '#item' }, { n: 1 }), undefined)
  assert.equal(judge({ type: 'ref', ref: '#item' }, { $type: 'com.example.thing#item', n: 1 }), undefined)
  assert.equal(judge({ type: 'ref', ref: '#item' }, { n: 'x' }), '/field/n must be an integer, not "x"')
  const union = { type: 'union', refs: ['#item'] }
  assert.equal(judge(union, { $type: 'com.example.thing#item', n: 1 }), undefined)
  assert.equal(
    judge(union, { $type: 'com.example.thing#item', n: 'x' }),
    '/field/n must be an integer, not "x"',
  )
  assert.match(judge(union, { n: 1 })!, /^\/field\/\$type is missing/)
})

test('open unions let other types pass, by their right names, unless the mode is closed', () => {
  const open = { type: 'union', refs: ['#item'] }
  const closed = { ...open, closed: true }
  for (const $type of ['com.example.other', 'com.example.other#part', 'com.example.thing']) {
    assert.equal(judge(open, { $type }), undefined, $type)
    assert.equal(
      judge(open, { $type }, 'closed'),
      `/field/$type must be "com.example.thing#item", not "${$type}"`,
    )
    assert.equal(judge(closed, { $type }), `/field/$type must be "com.example.thing#item", not "${$type}"`)
  }
  for (const $type of [
    '',
    'com.example.other#main',
    'com.example.thing#main',
    'blob',
    '#item',
    'com.example.other#',
    5,
  ])
    assert.notEqual(judge(open, { $type }), undefined, String($type))
  assert.equal(judge({ type: 'union', refs: [] }, { $type: 'com.example.other' }), undefined)
})

test('a reference spelled with #main is the plain NSID', () => {
  const union = { type: 'union', refs: ['com.example.other#main'], closed: true }
  const other = { lexicon: 1, id: 'com.example.other', defs: { main: { type: 'object' } } }
  const schema = catalogOf({ main: { type: 'object', properties: { field: union } } }, [other]).def(
    'com.example.thing',
  )!
  assert.equal(schema.check({ field: { $type: 'com.example.other' } }), undefined)
  assert.notEqual(schema.check({ field: { $type: 'com.example.other#main' } }), undefined)
})

test('definitions may go in circles', () => {
  const tree = {
    type: 'object',
    properties: { children: { type: 'array', items: { type: 'ref', ref: '#main' } }, n: { type: 'integer' } },
  }
  const schema = catalogOf({ main: tree }).def('com.example.thing')!
  assert.equal(schema.check({ children: [{ children: [{ n: 1 }] }] }), undefined)
  assert.equal(schema.check({ children: [{}, { children: [{ n: 'x' }] }] })?.path, '/children/1/children/0/n')
})

test('paths are JSON pointers', () => {
  const schema = catalogOf({ main: { type: 'object', properties: { 'a/b~c': { type: 'integer' } } } }).def(
    'com.example.thing',
  )!
  assert.equal(schema.check({ 'a/b~c': 'x' })?.path, '/a~1b~0c')
})

test('parse gives the value itself, or throws what is wrong with it', () => {
  const schema = catalogOf({
    main: { type: 'object', properties: { n: { type: 'integer', default: 5 } } },
  }).def('com.example.thing')!
  const value = { extra: 1 }
  assert.equal(schema.parse(value), value)
  assert.deepEqual(schema.validate(value), { ok: true, value: { extra: 1 } })
  assert.throws(() => schema.parse({ n: 'x' }), {
    name: 'LexiconError',
    code: 'InvalidValue',
    message: 'invalid com.example.thing: /n must be an integer, not "x"',
  })
})

test('methods have schemas of their parts', () => {
  const body = { encoding: 'application/json', schema: { type: 'ref', ref: '#item' } }
  const item = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
  const query = catalogOf({
    main: { type: 'query', output: { encoding: '*/*' }, errors: [{ name: 'Gone' }] },
  })
  const { params: _, ...rest } = query.query('com.example.thing')!
  assert.deepEqual(rest, {
    type: 'query',
    nsid: 'com.example.thing',
    output: { encoding: '*/*' },
    errors: ['Gone'],
  })
  assert.equal(query.procedure('com.example.thing'), undefined)
  assert.equal(query.def('com.example.thing'), undefined)

  const procedure = catalogOf({ main: { type: 'procedure', input: body, output: body }, item }).procedure(
    'com.example.thing',
  )!
  assert.equal(procedure.input!.schema!.check({})?.path, '/n')
  assert.equal(procedure.output!.schema!.check({ n: 1 }), undefined)

  const message = { schema: { type: 'union', refs: ['#item'] } }
  const main = { type: 'subscription', subprotocol: 'xrpc.v1.json', message }
  const subscription = catalogOf({ main, item }).subscription('com.example.thing')!
  assert.equal(subscription.subprotocol, 'xrpc.v1.json')
  assert.equal(subscription.message.check({ $type: 'com.example.thing#item', n: 1 }), undefined)
  assert.equal(subscription.message.check({ $type: 'com.example.thing#item' })?.path, '/n')
})

test('what the catalog lacks is listed, and what reaches it is invalid', () => {
  const properties = {
    gone: { type: 'ref', ref: 'com.example.gone#x' },
    token: { type: 'ref', ref: '#token' },
  }
  const catalog = catalogOf({ main: { type: 'object', properties }, token: { type: 'token' } })
  assert.deepEqual(catalog.unresolved(), [
    'com.example.thing: com.example.gone#x',
    'com.example.thing: com.example.thing#token',
  ])
  assert.equal(catalog.def('com.example.thing')!.check({}), undefined)
  assert.equal(
    catalog.def('com.example.thing')!.check({ gone: {} })?.message,
    'cannot be judged: no schema com.example.gone#x is known',
  )
  for (const ref of [
    'com.example.gone',
    'com.example.thing#none',
    'com.example.thing#toString',
    'com.example.thing#token',
    '',
  ])
    assert.equal(catalog.def(ref), undefined, ref)
})

test('two documents cannot have one NSID', () => {
  const document = { lexicon: 1, id: 'com.example.thing', defs: { main: { type: 'token' } } }
  assert.throws(() => catalogOf({ main: { type: 'token' } }, [document]), LexiconError)
})
