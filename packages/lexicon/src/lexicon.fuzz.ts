import assert from 'node:assert/strict'
import { cidOfRaw, DataError, decode, encode, RECORD_LIMITS, type Value } from '@imago/data'
import type { FuzzTarget } from '@imago/sim/fuzz'
import { createBytesChecks } from './bytes.ts'
import { createCatalog } from './catalog.ts'
import type { StringFormat } from './document.ts'
import { generate } from './generate.ts'
import type { Issue, Mode } from './issue.ts'
import { LexiconError } from './lexicon-error.ts'
import { FORMATS } from './lib/formats.ts'
import { USUAL_FORMS } from './lib/usual-forms.ts'
import { parseLexiconDocument } from './parse-document.ts'

export const scalars = {
  boolean: { type: 'boolean' },
  yes: { type: 'boolean', const: true },
  integer: { type: 'integer', minimum: -2, maximum: 3 },
  atLeast: { type: 'integer', minimum: 0 },
  atMost: { type: 'integer', maximum: 0 },
  choice: { type: 'integer', enum: [0, 3] },
  only: { type: 'integer', const: 1 },
  text: { type: 'string', minLength: 1, maxLength: 8 },
  shown: { type: 'string', minGraphemes: 1, maxGraphemes: 3 },
  closed: { type: 'string', enum: ['a', "it's", 'line\nend'] },
  fixed: { type: 'string', const: 'a' },
  known: { type: 'string', knownValues: ['a'], default: 'a' },
}
const formats: readonly StringFormat[] = [
  'at-identifier',
  'at-uri',
  'cid',
  'datetime',
  'did',
  'handle',
  'language',
  'nsid',
  'record-key',
  'tid',
  'uri',
]
export const fields = {
  ...scalars,
  ...Object.fromEntries(formats.map((format) => [format, { type: 'string', format, maxLength: 60 }])),
  bytes: { type: 'bytes', minLength: 1, maxLength: 3 },
  fewBytes: { type: 'bytes', maxLength: 3 },
  link: { type: 'cid-link' },
  blob: { type: 'blob', accept: ['image/*', 'text/plain'], maxSize: 10 },
  anyBlob: { type: 'blob' },
  bigBlob: { type: 'blob', maxSize: 10 },
  unknown: { type: 'unknown' },
  object: {
    type: 'object',
    properties: {
      a: { type: 'integer' },
      deeper: { type: 'object', properties: { b: { type: 'blob', accept: ['*/*'] } } },
    },
  },
  ref: { type: 'ref', ref: '#item' },
  open: { type: 'union', refs: ['#item', 'com.example.everything', '#item'] },
  shut: { type: 'union', refs: ['#item'], closed: true },
  anything: { type: 'union', refs: [] },
  list: { type: 'array', items: { type: 'integer' }, minLength: 1, maxLength: 2 },
  links: { type: 'array', items: { type: 'cid-link' } },
  objects: {
    type: 'array',
    items: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
  },
  unions: { type: 'array', items: { type: 'union', refs: ['#item'] } },
  refs: { type: 'array', items: { type: 'ref', ref: '#numbers' } },
  grid: { type: 'array', items: { type: 'array', items: { type: 'string', format: 'did' } } },
  'odd/name~`${1}': { type: 'array', items: { type: 'string' } },
  constructor: { type: 'string' },
}
export const names = Object.keys(fields)
const objectOf = (required: readonly string[], nullable: readonly string[]) => ({
  type: 'object',
  properties: fields,
  required,
  nullable,
})
/** Every type and constraint, in every place where it may stand. */
export const EVERYTHING = parseLexiconDocument({
  lexicon: 1,
  id: 'com.example.everything',
  defs: {
    main: { type: 'record', key: 'any', record: objectOf([], []) },
    nullable: objectOf([], names),
    both: objectOf(['did'], ['did', 'list', 'ref']),
    item: { type: 'object', properties: { n: { type: 'integer' }, next: { type: 'ref', ref: '#item' } } },
    numbers: { type: 'array', items: { type: 'integer' }, maxLength: 3 },
    things: { type: 'array', items: { type: 'ref', ref: '#item' } },
    name: { type: 'string', format: 'handle' },
    picture: { type: 'blob', accept: ['image/png'] },
    token: { type: 'token' },
  },
})

/** Every type and constraint that a parameter may have. */
export const EVERY_PARAM = parseLexiconDocument({
  lexicon: 1,
  id: 'com.example.everyParam',
  defs: {
    main: {
      type: 'query',
      parameters: {
        type: 'params',
        properties: {
          ...scalars,
          many: { type: 'array', items: { type: 'string', format: 'datetime' }, minLength: 2, maxLength: 3 },
        },
        required: ['integer'],
      },
      output: {
        encoding: 'application/json',
        schema: { type: 'union', refs: ['com.example.everything#item'] },
      },
    },
  },
})

const MODES: readonly Mode[] = ['strict', 'lenient', 'closed']
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A value that uses most of what {@link EVERYTHING} has, and fits it in every mode. */
export const EXAMPLE: Value = {
  $type: 'com.example.everything',
  yes: true,
  integer: 3,
  choice: 0,
  text: 'h\u00e9llo',
  shown: 'abc',
  closed: "it's",
  known: 'other',
  'at-identifier': 'alice.test',
  'at-uri': 'at://did:plc:abc/com.example.thing/a',
  cid: 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq',
  datetime: '2024-01-01T00:00:00.123Z',
  did: 'did:plc:abc',
  handle: 'alice.test',
  language: 'en',
  nsid: 'com.example.thing',
  'record-key': 'self',
  tid: '3jzfcijpj2z2a',
  uri: 'https://example.com/',
  bytes: new Uint8Array([1, 2]),
  link: cidOfRaw(new Uint8Array()),
  blob: { $type: 'blob', ref: cidOfRaw(new Uint8Array()), mimeType: 'image/png', size: 9 },
  unknown: { any: [1, null, { deep: true }] },
  object: { a: -1, deeper: {} },
  ref: { n: 1, next: { next: { n: 2 } }, extra: 'field' },
  open: { $type: 'com.example.everything#item', n: 1 },
  shut: { $type: 'com.example.everything#item' },
  list: [1, 2],
  objects: [{ a: 1 }, { a: 2 }],
  refs: [[1], []],
  grid: [['did:plc:abc']],
  constructor: 'own',
}

/** Any text is a document, or refused with reasons; what is a document can be judged by, and written as code. */
const document: FuzzTarget = {
  name: 'lexicon-document',
  dictionary: [
    '"type":',
    '"ref"',
    '"union"',
    '"object"',
    '"properties":',
    '"#main"',
    '"$type"',
    '{}',
    '[]',
    'null',
    '-1',
  ],
  seeds: () => [
    encoder.encode(JSON.stringify(EVERYTHING)),
    encoder.encode('{"lexicon":1,"id":"a.b.c","defs":{"main":{"type":"token"}}}'),
  ],
  run(input) {
    let json: unknown
    try {
      json = JSON.parse(decoder.decode(input))
    } catch {
      return
    }
    try {
      const catalog = createCatalog([parseLexiconDocument(json)])
      for (const name of Object.keys(catalog.document(catalog.nsids[0]!)!.defs))
        for (const mode of MODES) catalog.def(`${catalog.nsids[0]}#${name}`)?.check(EXAMPLE, mode)
      if (catalog.unresolved().length === 0) generate([catalog.document(catalog.nsids[0]!)!])
    } catch (error) {
      if (!(error instanceof LexiconError)) throw error
      assert.ok(error.issues.length > 0)
    }
  },
}

const catalog = createCatalog([EVERYTHING])
const onValue = catalog.record('com.example.everything')!
const onBytes = createBytesChecks(catalog)('com.example.everything')!

/** Bytes are judged as the value in them would be, word for word. */
const bytes: FuzzTarget = {
  name: 'lexicon-bytes',
  dictionary: [
    encode('$type'),
    encode('blob'),
    encode(null),
    encode(true),
    encode({ $type: 'com.example.other' }),
  ],
  seeds: () => [encode(EXAMPLE), encode({ $type: 'com.example.everything' })],
  run(input) {
    const copy = input.slice()
    for (const mode of MODES)
      assert.deepEqual(
        outcome(() => onBytes(copy, mode)),
        outcome(() => onValue.check(decode(copy, RECORD_LIMITS), mode)),
      )
  },
}

function outcome(judge: () => Issue | undefined): unknown {
  try {
    return judge()
  } catch (error) {
    if (error instanceof DataError) return error.message
    throw error
  }
}

/** What bytes are taken for at a glance, they are. */
const usualForms: FuzzTarget = {
  name: 'lexicon-usual-forms',
  dictionary: ['did:', 'at://', '..', '/', ':', '%', '-', '02-29', 'Z'],
  seeds: () => formats.map((format) => encoder.encode((EXAMPLE as Record<string, string>)[format])),
  run(input) {
    for (const format of formats)
      if (USUAL_FORMS[format](input, 0, input.length))
        assert.ok(FORMATS[format](decoder.decode(input), 'strict'), `${format}: ${decoder.decode(input)}`)
  },
}

/** A query string is read, or refused with a reason; what was read comes back from what is written of it. */
const { params } = createCatalog([EVERY_PARAM]).query('com.example.everyParam')!
const query: FuzzTarget = {
  name: 'lexicon-params',
  dictionary: ['integer=', 'many=', 'text=', 'yes=true', '&', '%', '+', '-0', '9007199254740993'],
  seeds: () => [
    encoder.encode('integer=3&text=a&yes=true&many=2024-01-01T00:00:00Z&many=2024-01-01T00:00:00Z'),
  ],
  run(input) {
    const result = params.decode(new URLSearchParams(decoder.decode(input)))
    if (result.ok) assert.deepEqual(params.decode(params.encode(result.value)), result)
    else assert.match(result.issue.path, /^\/./)
  },
}

export const targets: readonly FuzzTarget[] = [document, bytes, usualForms, query]
