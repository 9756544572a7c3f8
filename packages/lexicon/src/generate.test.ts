import assert from 'node:assert/strict'
import test from 'node:test'
import { type GenerateOptions, generate } from './generate.ts'
import { LexiconError } from './lexicon-error.ts'
import { parseLexiconDocument } from './parse-document.ts'

const lexicon = (id: string, defs: object) => parseLexiconDocument({ lexicon: 1, id, defs })

/** Text of generated modules by path. */
function modules(documents: Parameters<typeof generate>[0], options?: GenerateOptions): Map<string, string> {
  return new Map(generate(documents, options).map(({ path, text }) => [path, text]))
}

test('a record becomes a type, a check and a schema object', () => {
  const made = modules([
    lexicon('com.example.note', {
      main: {
        type: 'record',
        key: 'tid',
        record: {
          type: 'object',
          required: ['text', 'kind'],
          nullable: ['lang'],
          properties: {
            text: { type: 'string', maxLength: 300 },
            kind: { type: 'string', knownValues: ['a', "it's"] },
            lang: { type: 'string', format: 'language' },
            place: { type: 'object', properties: { 'lat-e7': { type: 'integer', minimum: 0 } } },
          },
        },
      },
    }),
  ])
  assert.equal(
    made.get('com/example/note.ts'),
    `// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, RecordSchema } from '@imago/lexicon/runtime'
import { fail, isInteger, isMap, longer, record, under } from '@imago/lexicon/runtime'
import type { Language } from '@imago/syntax'
import { isLanguage } from '@imago/syntax'

export type Main = {
  $type: 'com.example.note'
  text: string
  kind: 'a' | 'it\\'s' | (string & {})
  lang?: Language | null
  place?: MainPlace
}

export type MainPlace = {
  'lat-e7'?: number
}

export function checkMainPlace(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  let x: unknown
  if ((x = v['lat-e7']) !== undefined && !isInteger(x, 0)) return fail('/lat-e7', x, 'an integer of at least 0')
  return undefined
}

export function checkMain(v: unknown, m: Mode): Issue | undefined {
  if (!isMap(v)) return fail('', v, 'an object')
  if (v.$type !== 'com.example.note') return fail('/$type', v.$type, '"com.example.note"')
  let x: unknown, f: Issue | undefined
  if (typeof (x = v.text) !== 'string' || longer(x, 300)) return fail('/text', x, 'a string of at most 300 bytes')
  if (typeof (x = v.kind) !== 'string') return fail('/kind', x, 'a string')
  if ((x = v.lang) != null && !isLanguage(x)) return fail('/lang', x, 'a language tag')
  if ((x = v.place) !== undefined && (f = checkMainPlace(x, m))) return under('/place', f)
  return undefined
}

export const main: RecordSchema<Main> = /*#__PURE__*/ record('com.example.note', 'tid', checkMain)
`,
  )
})

test('a method becomes its parts and a schema object', () => {
  const made = modules([
    lexicon('com.example.getNote', {
      main: {
        type: 'query',
        parameters: {
          type: 'params',
          required: ['at'],
          properties: { at: { type: 'string', format: 'at-uri' }, depth: { type: 'integer', default: 6 } },
        },
        output: { encoding: '*/*' },
        errors: [{ name: 'NotFound' }],
      },
    }),
  ])
  assert.equal(
    made.get('com/example/getNote.ts')!.split('\n\n').slice(2).join('\n\n'),
    `export type Params = {
  at: AtUri
  depth: number
}

export type Output = RawBody

export const main: QuerySchema<Params, Output, Given<Params, 'depth'>, 'NotFound'> = /*#__PURE__*/ query({
  nsid: 'com.example.getNote',
  params: {
    at: { type: 'string', check: (v) => (!isAtUri(v) ? fail('', v, 'an AT-URI') : undefined), required: true },
    depth: { type: 'integer', check: (v) => (!isInteger(v) ? fail('', v, 'an integer') : undefined), default: 6 },
  },
  output: { encoding: '*/*' },
  errors: ['NotFound'],
})
`,
  )
  assert.match(made.get('method-nsids.ts')!, /\[\n {2}'com\.example\.getNote',\n\]/)
  assert.match(
    made.get('methods.ts')!,
    /\n {2}'com\.example\.getNote': typeof import\('\.\/com\/example\/getNote\.ts'\)\.main\n}/,
  )
})

test('a subscription carries its subprotocol and the names of its errors', () => {
  const text = modules([
    lexicon('com.example.watch', {
      main: {
        type: 'subscription',
        subprotocol: 'xrpc.v1.json',
        message: { schema: { type: 'union', refs: ['#note'] } },
        errors: [{ name: 'FutureCursor' }, { name: 'ConsumerTooSlow' }],
      },
      note: { type: 'object' },
    }),
  ]).get('com/example/watch.ts')!
  assert.ok(
    text.includes(
      "export const main: SubscriptionSchema<Params, Message, Params, 'FutureCursor' | 'ConsumerTooSlow'> =",
    ),
  )
  assert.ok(
    text.includes("\n  subprotocol: 'xrpc.v1.json',\n  errors: ['FutureCursor', 'ConsumerTooSlow'],\n"),
  )
})

test('namespaces name what is below them, also where a document has the name of a namespace', () => {
  const token = { main: { type: 'token' } }
  const made = modules([lexicon('com.example.thing', token), lexicon('com.example.thing.part', token)])
  assert.deepEqual(
    [...made.keys()],
    [
      'com.ts',
      'com/example.ts',
      'com/example/thing.ts',
      'com/example/thing/part.ts',
      'method-nsids.ts',
      'methods.ts',
    ],
  )
  assert.match(made.get('com.ts')!, /\nexport \* as example from '\.\/com\/example\.ts'\n$/)
  assert.match(
    made.get('com/example/thing.ts')!,
    /export const main.*\nexport \* as part from '\.\/thing\/part\.ts'\n$/s,
  )
})

test('other documents are imported: from beside, or from the package that holds them', () => {
  const ref = (to: string) => ({ main: { type: 'object', properties: { a: { type: 'ref', ref: to } } } })
  const documents = [
    lexicon('com.example.a.use', ref('com.other.b.defs#it')),
    lexicon('com.other.b.defs', { it: { type: 'object' } }),
  ]
  assert.match(
    modules(documents).get('com/example/a/use.ts')!,
    /import \* as BDefs from '\.\.\/\.\.\/other\/b\/defs\.ts'/,
  )
  const made = modules(documents, {
    packageOf: (nsid) => (nsid.startsWith('com.other.') ? '@other/lexicons' : undefined),
  })
  assert.match(
    made.get('com/example/a/use.ts')!,
    /import \* as BDefs from '@other\/lexicons\/com\/other\/b\/defs'/,
  )
  assert.equal(made.has('com/other/b/defs.ts'), false)
})

test('names that the module needs for itself give way', () => {
  const object = { type: 'object' }
  const text = modules([
    lexicon('com.example.names', {
      main: { type: 'procedure' },
      input: object,
      delete: object,
      schema: object,
      did: { type: 'string', format: 'did' },
      'two-words': object,
    }),
  ]).get('com/example/names.ts')!
  for (const line of [
    'export type InputDef = {',
    'export { delete_ as delete }',
    'export { schema_ as schema }',
    'export type DidDef = Did',
    "export { twoWords as 'two-words' }",
  ])
    assert.ok(text.includes(line), line)
})

test('the same documents give the same text, in whatever order they come', () => {
  const documents = [
    lexicon('com.example.a', { main: { type: 'token' } }),
    lexicon('com.example.b', { main: { type: 'object' } }),
  ]
  assert.deepEqual(generate(documents), generate(documents.toReversed()))
})

test('references that lead nowhere and names that collide are refused', () => {
  const lost = lexicon('com.example.lost', {
    main: { type: 'object', properties: { a: { type: 'ref', ref: 'com.example.gone' } } },
  })
  assert.throws(() => generate([lost]), /com\.example\.lost: com\.example\.gone/)
  const both = [
    lexicon('com.example.thing', { part: { type: 'token' } }),
    lexicon('com.example.thing.part', { main: { type: 'token' } }),
  ]
  assert.throws(() => generate(both), LexiconError)
})
