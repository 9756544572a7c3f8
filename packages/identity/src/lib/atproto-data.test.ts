import assert from 'node:assert/strict'
import { ECDH } from 'node:crypto'
import test from 'node:test'
import { generateKeypair, multikeyOf } from '@imago/crypto'
import { toBase58btc } from '@imago/data/multibase'
import { atprotoData } from './atproto-data.ts'
import { type DidDocument, parseDidDocument } from './did-document.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const key = generateKeypair('k256')
const method = (changes = {}) => ({
  id: `${did}#atproto`,
  type: 'Multikey',
  controller: did,
  publicKeyMultibase: multikeyOf(key.publicKey),
  ...changes,
})
const pds = (changes = {}) => ({
  id: '#atproto_pds',
  type: 'AtprotoPersonalDataServer',
  serviceEndpoint: 'https://pds.test',
  ...changes,
})
const read = (document: Omit<DidDocument, 'id'>) => atprotoData({ id: did, ...document })

test('a usual document is read whole', () => {
  assert.deepEqual(
    read({
      alsoKnownAs: ['https://alice.example.org', 'at://Alice.Test'],
      verificationMethod: [method({ id: '#atproto_label' }), method()],
      service: [
        pds({ serviceEndpoint: 'https://pds.test/' }),
        { id: `${did}#atproto_labeler`, type: 'AtprotoLabeler', serviceEndpoint: 'https://labels.test' },
      ],
    }),
    {
      did,
      handle: 'alice.test',
      signingKey: key.didKey,
      pds: 'https://pds.test',
      labeler: { url: 'https://labels.test', key: key.didKey },
    },
  )
})

test('an empty document says nothing, and an odd one no more', () => {
  assert.deepEqual(read({}), { did })
  for (const odd of [
    {
      alsoKnownAs: [
        'at://',
        'at://localhost',
        'at://handle.invalid',
        'at://a.test/x',
        'at://-a.test',
        'AT://a.test',
      ],
    },
    { verificationMethod: [method({ id: 'did:plc:other#atproto' })] },
    { verificationMethod: [method({ controller: 'did:plc:other' })] },
    {
      verificationMethod: [
        method({ publicKeyMultibase: 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK' }),
      ],
    },
    { verificationMethod: [method({ publicKeyMultibase: undefined })] },
    { verificationMethod: [method({ type: 'JsonWebKey2020' })] },
    { verificationMethod: [method({ publicKeyMultibase: 'z' }), method()] },
    { service: [pds({ type: 'Other' })] },
    { service: [pds({ serviceEndpoint: 'https://pds.test/path' })] },
    { service: [pds({ serviceEndpoint: 'https://user@pds.test' })] },
    { service: [pds({ serviceEndpoint: 'ftp://pds.test' })] },
    { service: [pds({ serviceEndpoint: 'not a url' })] },
    { service: [pds({ serviceEndpoint: { uri: 'https://pds.test' } })] },
  ])
    assert.deepEqual(read(odd), { did }, JSON.stringify(odd))
})

test('the first alias that is a handle counts', () => {
  assert.equal(read({ alsoKnownAs: ['at://not_valid', 'at://b.test', 'at://c.test'] }).handle, 'b.test')
})

test('keys of old did:web documents are bare points', () => {
  const document = (point: Uint8Array) =>
    read({
      verificationMethod: [
        method({
          id: '#atproto',
          type: 'EcdsaSecp256k1VerificationKey2019',
          publicKeyMultibase: `z${toBase58btc(point)}`,
        }),
      ],
    })
  const point = new Uint8Array(
    ECDH.convertKey(key.publicKey.bytes, 'secp256k1', undefined, undefined, 'uncompressed') as Buffer,
  )
  assert.equal(point.length, 65)
  assert.equal(document(point).signingKey, key.didKey)
  assert.equal(document(point.subarray(0, 40)).signingKey, undefined)
})

test('a document is about whom it was asked for, and its odd members are passed over', () => {
  for (const json of [null, [], 'x', {}, { id: 1 }, { id: 'did:plc:other' }, { id: did.toUpperCase() }])
    assert.throws(() => parseDidDocument(json, did), { code: 'InvalidDocument' })
  const parsed = parseDidDocument(
    {
      id: did,
      alsoKnownAs: [1, 'at://a.test'],
      verificationMethod: [null, { id: 1 }, method()],
      service: 'x',
      extra: 1,
    },
    did,
  )
  assert.deepEqual(parsed, {
    id: did,
    alsoKnownAs: ['at://a.test'],
    verificationMethod: [method()],
    service: [],
    extra: 1,
  })
})
