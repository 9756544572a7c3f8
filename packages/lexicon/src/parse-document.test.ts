import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { LexiconError } from './lexicon-error.ts'
import { parseLexiconDocument } from './parse-document.ts'

const FOLDER = 'atproto-interop-tests/lexicon'

interface NamedDocument {
  readonly name: string
  readonly lexicon: unknown
}

vectorTest('interop vectors: valid documents are accepted', (vectors) => {
  const documents = vectors.json<NamedDocument[]>(`${FOLDER}/lexicon-valid.json`)
  assert.ok(documents.length >= 3)
  for (const { name, lexicon } of documents) assert.equal(parseLexiconDocument(lexicon), lexicon, name)
})

vectorTest('interop vectors: invalid documents are refused', (vectors) => {
  const documents = vectors.json<NamedDocument[]>(`${FOLDER}/lexicon-invalid.json`)
  assert.ok(documents.length >= 7)
  for (const { name, lexicon } of documents)
    assert.throws(() => parseLexiconDocument(lexicon), LexiconError, name)
})

vectorTest(
  'interop vectors: every document of the catalog is accepted, inline objects and all',
  (vectors) => {
    const files = vectors.list(`${FOLDER}/catalog`)
    assert.ok(files.length >= 5)
    for (const file of files) parseLexiconDocument(vectors.json(`${FOLDER}/catalog/${file}`))
  },
)

test('long names make no long message', () => {
  const name = 'x'.repeat(100_000)
  for (const json of [
    { ...document({ type: 'token' }), id: name },
    document({ type: 'object', properties: { [name]: { type: 'object', required: [1, 2, 3] } } }),
  ])
    assert.throws(
      () => parseLexiconDocument(json),
      (error) => error instanceof LexiconError && error.message.length < 5000,
    )
})

test('of very many faults the first are told, and how many more there are', () => {
  const refs = Array.from({ length: 50_000 }, () => 5)
  assert.throws(
    () => parseLexiconDocument(document({ type: 'object', properties: { a: { type: 'union', refs } } })),
    (error) => {
      assert.ok(error instanceof LexiconError)
      assert.ok(error.message.length < 20_000, `${error.message.length} characters`)
      assert.equal(error.issues.length, 101)
      assert.equal(error.issues[0]!.path, '/defs/main/properties/a/refs/0')
      assert.deepEqual(error.issues.at(-1), { path: '', message: 'has 49900 faults more' })
      return true
    },
  )
})

const document = (main: unknown, more: object = {}) => ({
  lexicon: 1,
  id: 'com.example.thing',
  defs: { main, ...more },
})
const property = (definition: unknown) => document({ type: 'object', properties: { field: definition } })
const FIELD = '/defs/main/properties/field'

/** What is wrong, and where. */
const faults: readonly [title: string, json: unknown, path: string][] = [
  ['no object', 'com.example.thing', ''],
  ['null', null, ''],
  ['another version', { ...document({ type: 'token' }), lexicon: 2 }, '/lexicon'],
  ['an id with a fragment', { ...document({ type: 'token' }), id: 'com.example.thing#main' }, '/id'],
  ['no definitions', { lexicon: 1, id: 'com.example.thing', defs: {} }, '/defs'],
  ['a name with #', document({ type: 'token' }, { '#x': { type: 'token' } }), '/defs/#x'],
  ['a name with a dot', document({ type: 'token' }, { 'x.y': { type: 'token' } }), '/defs/x.y'],
  ['an unknown type', document({ type: 'float' }), '/defs/main/type'],
  ['a type that every object inherits', document({ type: 'constructor' }), '/defs/main/type'],
  ['params under a name', document({ type: 'token' }, { p: { type: 'params' } }), '/defs/p/type'],
  ['a union as main', document({ type: 'union', refs: [] }), '/defs/main/type'],
  ['a token as a property', property({ type: 'token' }), `${FIELD}/type`],
  [
    'a record as a property',
    property({ type: 'record', key: 'tid', record: { type: 'object' } }),
    `${FIELD}/type`,
  ],
  ['a fraction as bound', property({ type: 'integer', minimum: 0.5 }), `${FIELD}/minimum`],
  ['bounds out of order', property({ type: 'integer', minimum: 2, maximum: 1 }), `${FIELD}/minimum`],
  [
    'lengths out of order',
    property({ type: 'string', minGraphemes: 2, maxGraphemes: 1 }),
    `${FIELD}/minGraphemes`,
  ],
  ['a negative length', property({ type: 'bytes', maxLength: -1 }), `${FIELD}/maxLength`],
  ['an unknown format', property({ type: 'string', format: 'email' }), `${FIELD}/format`],
  ['const beside default', property({ type: 'string', const: 'a', default: 'a' }), `${FIELD}/default`],
  ['an empty enum', property({ type: 'string', enum: [] }), `${FIELD}/enum`],
  ['a partial MIME glob', property({ type: 'blob', accept: ['image/*', 'image'] }), `${FIELD}/accept/1`],
  ['a bare star', property({ type: 'blob', accept: ['*'] }), `${FIELD}/accept/0`],
  ['half a glob', property({ type: 'blob', accept: ['image/p*'] }), `${FIELD}/accept/0`],
  ['an array of nothing', property({ type: 'array' }), `${FIELD}/items`],
  ['a reference that is none', property({ type: 'ref', ref: 'thing' }), `${FIELD}/ref`],
  ['a closed union of nothing', property({ type: 'union', refs: [], closed: true }), `${FIELD}/refs`],
  [
    'a property that begins with $',
    document({ type: 'object', properties: { $x: { type: 'unknown' } } }),
    '/defs/main/properties/$x',
  ],
  ['an undeclared required property', document({ type: 'object', required: ['x'] }), '/defs/main/required/0'],
  [
    'an undeclared nullable property',
    document({ type: 'object', nullable: ['toString'] }),
    '/defs/main/nullable/0',
  ],
  [
    'a key rule that is none',
    document({ type: 'record', key: 'uuid', record: { type: 'object' } }),
    '/defs/main/key',
  ],
  [
    'a literal key that is no record key',
    document({ type: 'record', key: 'literal:..', record: { type: 'object' } }),
    '/defs/main/key',
  ],
  [
    'an object as parameter',
    document({ type: 'query', parameters: { type: 'params', properties: { a: { type: 'object' } } } }),
    '/defs/main/parameters/properties/a/type',
  ],
  [
    'an encoding with a parameter',
    document({ type: 'query', output: { encoding: 'text/plain; charset=utf-8' } }),
    '/defs/main/output/encoding',
  ],
  [
    'an array as body',
    document({ type: 'query', output: { encoding: 'application/json', schema: { type: 'array' } } }),
    '/defs/main/output/schema/type',
  ],
  [
    'an error name with a space',
    document({ type: 'query', errors: [{ name: 'Not Found' }] }),
    '/defs/main/errors/0/name',
  ],
  [
    'a subprotocol of two words',
    document({ type: 'subscription', subprotocol: 'a b' }),
    '/defs/main/subprotocol',
  ],
  ['a message without schema', document({ type: 'subscription', message: {} }), '/defs/main/message/schema'],
  [
    'a permission without resource',
    document({ type: 'permission-set', permissions: [{ type: 'permission' }] }),
    '/defs/main/permissions/0/resource',
  ],
  [
    'a title in no language',
    document({ type: 'permission-set', permissions: [], 'title:lang': { '?': '' } }),
    '/defs/main/title:lang/?',
  ],
]

for (const [title, json, path] of faults)
  test(`refused: ${title}`, () => {
    assert.throws(
      () => parseLexiconDocument(json),
      (error) => {
        assert.ok(error instanceof LexiconError)
        assert.equal(error.code, 'InvalidDocument')
        assert.deepEqual(
          error.issues.map((issue) => issue.path),
          [path],
        )
        return true
      },
    )
  })

test('every fault is listed, and the message names the document', () => {
  const json = {
    lexicon: 2,
    id: 'com.example.thing',
    defs: { main: { type: 'integer', minimum: 'low' }, a: 1 },
  }
  assert.throws(() => parseLexiconDocument(json), {
    message:
      'invalid lexicon com.example.thing: /lexicon must be 1, not 2; /defs/main/minimum must be an integer, not "low"; /defs/a must be an object, not 1',
  })
})

test('fields that the language does not know are kept', () => {
  const json = { ...document({ type: 'subscription', subprotocol: 'xrpc.v1.json' }), revision: 3, $type: 'x' }
  assert.equal(parseLexiconDocument(json), json)
})

test('a permission that no one understands does not void its set', () => {
  const permissions = [{ type: 'permission', resource: 'future', knobs: ['a'], level: 3, wide: true }]
  parseLexiconDocument(document({ type: 'permission-set', permissions }))
})

test('endless nesting is refused, not a stack overflow', () => {
  let nested: unknown = { type: 'integer' }
  for (let i = 0; i < 3_000; i++) nested = { type: 'array', items: nested }
  assert.throws(() => parseLexiconDocument(property(nested)), /is nested too deeply/)
})
