import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import fc from 'fast-check'
import { createGenesis, tombstoneOperation } from './author-operation.ts'
import { normalizeOperation, type PlcData } from './operation.ts'
import { operationBytes, operationCid } from './operation-bytes.ts'
import { parseOperation } from './parse-operation.ts'
import { PlcError } from './plc-error.ts'

const keypair = generateKeypair('k256')
const key = keypair.didKey
const data: PlcData = {
  rotationKeys: [key],
  verificationMethods: { atproto: key },
  alsoKnownAs: ['at://alice.test'],
  services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
}
const genesis = createGenesis(data, keypair).operation
const legacy = {
  type: 'create',
  signingKey: key,
  recoveryKey: key,
  handle: 'alice.test',
  service: 'pds.test',
  prev: null,
  sig: genesis.sig,
}
const many = <T>(length: number, make: (i: number) => T) => Array.from({ length }, (_, i) => make(i))
const mapOf = <T>(length: number, member: T) => Object.fromEntries(many(length, (i) => [`n${i}`, member]))
const service = { type: 'T', endpoint: '' }

test('an operation keeps its CID through JSON, whatever order its keys come in', () => {
  const shuffled = JSON.parse(JSON.stringify(genesis))
  const { sig, type, prev, ...rest } = shuffled
  const parsed = parseOperation({ ...rest, prev, sig, type }, 'ingest')
  assert.deepEqual(operationBytes(parsed), operationBytes(genesis))
  assert.deepEqual(Object.keys(parsed), [
    'sig',
    'prev',
    'type',
    'services',
    'alsoKnownAs',
    'rotationKeys',
    'verificationMethods',
  ])
})

test('[PLC-17] [PLC-18] what is not exactly an operation is refused', () => {
  const { prev: _, ...withoutPrev } = genesis
  for (const json of [
    null,
    [],
    'x',
    {},
    withoutPrev,
    { ...genesis, vanity: 'x' },
    { ...genesis, prev: 'not a cid' },
    { ...genesis, prev: undefined },
    { ...genesis, type: 'constructor' },
    { ...genesis, rotationKeys: 'did:key:z' },
    { ...genesis, rotationKeys: [1] },
    { ...genesis, services: { a: { ...service, extra: 1 } } },
    { ...genesis, services: { a: null } },
    { ...genesis, verificationMethods: [] },
    { ...genesis, sig: null },
    { ...tombstoneOperation(genesis, keypair), prev: null },
    legacy,
  ])
    assert.throws(
      () => parseOperation(json, 'ingest'),
      (error) => error instanceof PlcError && error.message.startsWith('Not a valid operation: '),
    )
  assert.deepEqual(parseOperation(legacy, 'replay'), legacy)
})

const refusals: [title: string, changes: Partial<PlcData>, message: RegExp][] = [
  [
    '[PLC-12] bytes',
    { services: mapOf(9, { type: 'T', endpoint: 'x'.repeat(500) }) },
    /^Operation too large \(4000 bytes maximum in cbor encoding\)$/,
  ],
  ['[PLC-13] aliases', { alsoKnownAs: many(11, (i) => `a${i}`) }, /^To many alsoKnownAs entries \(max 10\)$/],
  [
    '[PLC-13] alias length',
    { alsoKnownAs: ['a'.repeat(259)] },
    /^alsoKnownAs entry too long \(max 258\): a{259}$/,
  ],
  ['[PLC-13] same alias', { alsoKnownAs: ['a', 'a'] }, /^duplicate alsoKnownAs entry: a$/],
  ['[PLC-14] rotation keys', { rotationKeys: many(11, () => key) }, /max 10/],
  ['[PLC-14] rotation key', { rotationKeys: ['did:key:zbad'] }, /^Invalid rotationKey: did:key:zbad$/],
  ['[PLC-14] same rotation key', { rotationKeys: [key, key] }, /^duplicate rotationKey/],
  ['[PLC-14] no rotation key', { rotationKeys: [] }, /nobody could ever change this DID again/],
  ['[PLC-15] services', { services: mapOf(11, service) }, /max 10/],
  ['[PLC-15] service id', { services: { ['i'.repeat(33)]: service } }, /max 32/],
  ['[PLC-15] service id form', { services: { 'a b': service } }, /cannot stand in a DID URL: "a b"/],
  ['[PLC-15] service type', { services: { a: { type: 't'.repeat(257), endpoint: '' } } }, /max 256/],
  ['[PLC-15] service endpoint', { services: { a: { type: 't', endpoint: 'e'.repeat(513) } } }, /max 512/],
  ['[PLC-16] methods', { verificationMethods: mapOf(11, key) }, /max 10/],
  ['[PLC-16] method id', { verificationMethods: { ['i'.repeat(33)]: key } }, /max 32/],
  ['[PLC-16] method value', { verificationMethods: { a: `did:key:z${'1'.repeat(248)}` } }, /max 256/],
  [
    '[PLC-16] method form',
    { verificationMethods: { a: 'did:key:z0' } },
    /^Invalid verificationMethod key: did:key:z0$/,
  ],
  ['surrogate', { alsoKnownAs: ['\ud800'] }, /surrogate|Unicode|well-formed/i],
  ['NUL', { alsoKnownAs: ['a\0'] }, /NUL/],
]

for (const [title, changes, message] of refusals)
  test(`${title}: out of bounds is refused at the door`, () => {
    assert.throws(
      () => parseOperation({ ...genesis, ...changes }, 'ingest'),
      (error) => error instanceof PlcError && message.test(error.message),
    )
  })

test('[PLC-13] [PLC-15] [PLC-16] what only looks odd is taken as it is', () => {
  const changes: Partial<PlcData> = {
    alsoKnownAs: ['not a uri', 'e\u0301', '\u00e9', '😀'.repeat(129)],
    services: mapOf(10, service),
    verificationMethods: {
      bare: 'did:key:z',
      ed25519: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
    },
  }
  const parsed = parseOperation({ ...genesis, ...changes }, 'ingest')
  assert.deepEqual(JSON.parse(JSON.stringify(parsed)), { ...genesis, ...changes })
})

test('[PLC-14] an operation without rotation keys enters where that is meant, and in history', () => {
  const frozen = { ...genesis, rotationKeys: [] }
  assert.deepEqual(parseOperation(frozen, 'replay').type, 'plc_operation')
  assert.deepEqual(parseOperation(frozen, 'ingest', { allowFreezing: true }).type, 'plc_operation')
})

test('names that objects inherit are names like any other, and keep the CID', () => {
  const text = JSON.stringify({ ...genesis, services: { constructor: service, P: service } }).replace(
    '"P"',
    '"__proto__"',
  )
  const parsed = parseOperation(JSON.parse(text), 'ingest')
  const services = normalizeOperation(parsed)!.services
  assert.deepEqual(Object.keys(services), ['__proto__', 'constructor'])
  assert.ok(Buffer.from(operationBytes(parsed)).includes('__proto__'))
  const again = parseOperation(JSON.parse(JSON.stringify(parsed)), 'ingest')
  assert.equal(operationCid(again).toString(), operationCid(parsed).toString())
})

test('a legacy genesis reads as what it meant', () => {
  const read = (changes: object) =>
    normalizeOperation(parseOperation({ ...legacy, recoveryKey: 'did:key:zR', ...changes }, 'replay'))
  assert.deepEqual(read({ handle: 'https://alice.test' }), {
    rotationKeys: ['did:key:zR', key],
    verificationMethods: { atproto: key },
    alsoKnownAs: ['at://alice.test'],
    services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
  })
  assert.equal(read({ service: 'http://pds.test' })?.services['atproto_pds']?.endpoint, 'http://pds.test')
  assert.deepEqual(read({ handle: 'at://alice.test' })?.alsoKnownAs, ['at://alice.test'])
})

test('whatever the JSON, the answer is an operation or a PlcError', () => {
  const value = fc.oneof(fc.jsonValue(), fc.constant(key), fc.constant('did:key:z'))
  const mutation = fc.dictionary(fc.constantFrom(...Object.keys(legacy), ...Object.keys(genesis)), value)
  const attempt = (json: unknown) => {
    for (const policy of ['ingest', 'replay'] as const)
      try {
        assert.equal(typeof operationCid(parseOperation(json, policy)).toString(), 'string')
      } catch (error) {
        assert.ok(error instanceof PlcError, String(error))
      }
  }
  fc.assert(fc.property(fc.jsonValue(), attempt), { seed: 1, numRuns: 100 })
  fc.assert(
    fc.property(fc.constantFrom<object>(genesis, legacy), mutation, (base, changes) =>
      attempt({ ...base, ...changes }),
    ),
    { seed: 2, numRuns: 200 },
  )
  attempt(JSON.parse('['.repeat(40_000) + ']'.repeat(40_000)))
})
