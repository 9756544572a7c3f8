import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { documentOf } from './plc-document.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const k256 = generateKeypair('k256').didKey
const p256 = generateKeypair('p256').didKey

test('[PLC-3] [PLC-16] a document names one context per known type of key, and shows keys of any type', () => {
  const document = documentOf({
    did,
    rotationKeys: [],
    alsoKnownAs: ['at://alice.test', 'not a uri'],
    verificationMethods: {
      atproto: p256,
      zz: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
      b: k256,
      bare: 'did:key:z',
    },
    services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
  })
  assert.deepEqual(document, {
    '@context': [
      'https://www.w3.org/ns/did/v1',
      'https://w3id.org/security/multikey/v1',
      'https://w3id.org/security/suites/secp256k1-2019/v1',
      'https://w3id.org/security/suites/ecdsa-2019/v1',
    ],
    id: did,
    alsoKnownAs: ['at://alice.test', 'not a uri'],
    verificationMethod: [
      ['b', k256.slice(8)],
      ['zz', 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'],
      ['bare', 'z'],
      ['atproto', p256.slice(8)],
    ].map(([name, publicKeyMultibase]) => ({
      id: `${did}#${name}`,
      type: 'Multikey',
      controller: did,
      publicKeyMultibase,
    })),
    service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: 'https://pds.test' }],
  })
})

test('[PLC-3] names come in the order of the public directory: whole numbers, then shorter first', () => {
  const service = { type: 'T', endpoint: '' }
  const { service: listed } = documentOf({
    did,
    rotationKeys: [],
    alsoKnownAs: [],
    verificationMethods: {},
    services: { atproto: service, zz: service, b: service, 10: service, 9: service },
  })
  assert.deepEqual(
    listed?.map(({ id }) => id),
    ['#9', '#10', '#b', '#zz', '#atproto'],
  )
})
