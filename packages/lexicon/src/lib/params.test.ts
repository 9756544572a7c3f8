import assert from 'node:assert/strict'
import test from 'node:test'
import { createCatalog } from '../catalog.ts'
import { LexiconError } from '../lexicon-error.ts'
import { parseLexiconDocument } from '../parse-document.ts'

const catalog = createCatalog([
  parseLexiconDocument({
    lexicon: 1,
    id: 'com.example.list',
    defs: {
      main: {
        type: 'query',
        parameters: {
          type: 'params',
          required: ['repo', 'kinds'],
          properties: {
            repo: { type: 'string', format: 'did' },
            kinds: { type: 'array', items: { type: 'string', maxLength: 3 }, maxLength: 2 },
            limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
            reverse: { type: 'boolean' },
            since: { type: 'integer' },
            ids: { type: 'array', items: { type: 'integer' } },
          },
        },
      },
    },
  }),
])
const { params } = catalog.query('com.example.list')!
const decode = (query: string) => params.decode(new URLSearchParams(query))
const ok = (value: unknown) => ({ ok: true, value })
const BASE = 'repo=did:plc:abc&kinds=a'
const base = { repo: 'did:plc:abc', kinds: ['a'], limit: 50 }

test('defaults are filled in; a single value of an array is an array of one', () => {
  assert.deepEqual(decode(BASE), ok(base))
})

test('a repeated key is an array, in order', () => {
  assert.deepEqual(
    decode('repo=did:plc:abc&kinds=b&limit=7&kinds=a'),
    ok({ ...base, kinds: ['b', 'a'], limit: 7 }),
  )
  assert.deepEqual(decode(`${BASE}&ids=3&ids=-4`), ok({ ...base, ids: [3, -4] }))
})

test('unknown parameters are ignored, also those that every object inherits', () => {
  assert.deepEqual(decode(`${BASE}&nonsense=1&constructor=2&__proto__=3`), ok(base))
})

test('an empty value counts as absent', () => {
  assert.deepEqual(decode(`${BASE}&limit=&reverse=&kinds=`), ok(base))
})

test('booleans are exactly true or false', () => {
  assert.deepEqual(decode(`${BASE}&reverse=true`), ok({ ...base, reverse: true }))
  assert.deepEqual(decode(`${BASE}&reverse=false`), ok({ ...base, reverse: false }))
  for (const text of ['1', '0', 'True', 'yes'])
    assert.equal(decode(`${BASE}&reverse=${text}`).ok, false, text)
})

test('integers are decimal digits within what every implementation can hold', () => {
  for (const [text, since] of [
    ['01', 1],
    ['-5', -5],
    ['9007199254740991', 2 ** 53 - 1],
  ] as const)
    assert.deepEqual(decode(`${BASE}&since=${text}`), ok({ ...base, since }))
  for (const text of ['9007199254740993', '1.0', '1e3', '%2B1', '+1', '0x10', '--1', 'NaN'])
    assert.equal(decode(`${BASE}&since=${text}`).ok, false, text)
})

test('issues name the parameter, the constraint and the value', () => {
  const issue = (query: string) => {
    const result = decode(query)
    return result.ok ? undefined : result.issue
  }
  assert.deepEqual(issue('kinds=a'), { path: '/repo', message: 'is missing: must be a DID' })
  assert.deepEqual(issue('repo=did:plc:abc'), {
    path: '/kinds',
    message: 'is missing: must be a string of at most 3 bytes',
  })
  assert.deepEqual(issue(`${BASE}&limit=500`), {
    path: '/limit',
    message: 'must be an integer from 1 to 100, not 500',
  })
  assert.deepEqual(issue(`${BASE}&limit=many`), {
    path: '/limit',
    message: 'must be an integer from 1 to 100, not "many"',
  })
  assert.deepEqual(issue(`${BASE}&limit=1&limit=2`), {
    path: '/limit',
    message: 'is given 2 times, but takes one value',
  })
  assert.deepEqual(issue(`${BASE}&kinds=long`), {
    path: '/kinds/1',
    message: 'must be a string of at most 3 bytes, not "long"',
  })
  assert.deepEqual(issue(`${BASE}&kinds=b&kinds=c`), {
    path: '/kinds',
    message: 'must be an array of at most 2 items, not an array of 3',
  })
})

test('encoding spells defaults out, and comes back', () => {
  const query = params.encode({ repo: 'did:plc:abc', kinds: ['b', 'a'], reverse: false })
  assert.equal(query.toString(), 'repo=did%3Aplc%3Aabc&kinds=b&kinds=a&limit=50&reverse=false')
  assert.deepEqual(
    params.decode(query),
    ok({ repo: 'did:plc:abc', kinds: ['b', 'a'], limit: 50, reverse: false }),
  )
})

test('encoding refuses what no server would take', () => {
  assert.throws(() => params.encode({ repo: 'alice', kinds: [] }), LexiconError)
  assert.throws(() => params.encode({ kinds: [] }), /\/repo is missing: must be a DID/)
  assert.throws(() => params.encode({ repo: 'did:plc:abc', kinds: 'a' }), /\/kinds must be an array, not "a"/)
})
