import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair, multikeyOf } from '@imago/crypto'
import { createManualClock } from '@imago/sim/clock'
import type { Did } from '@imago/syntax'
import type { DidDocument } from './did-document.ts'
import { type DidWebAlarm, withDidWebHistory } from './did-web-history.ts'
import { createMemoryHistory } from './did-web-history-memory.ts'
import { IdentityError, type IdentityErrorCode } from './identity-error.ts'

const alice: Did = 'did:web:alice.test'
const DAY_MS = 86_400_000

const documentOf = (
  did: Did,
  { key = generateKeypair('p256'), pds = 'https://pds.test' } = {},
): DidDocument => ({
  id: did,
  alsoKnownAs: ['at://alice.test'],
  verificationMethod: [{ id: '#atproto', type: 'Multikey', publicKeyMultibase: multikeyOf(key.publicKey) }],
  service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: pds }],
})

/** A host that serves what it is told to, and a resolver that remembers. */
function world() {
  const clock = createManualClock()
  const alarms: DidWebAlarm[] = []
  const host = { answer: undefined as ((did: Did) => DidDocument) | undefined }
  const resolver = withDidWebHistory(
    { resolve: async (did) => host.answer!(did) },
    {
      history: createMemoryHistory(),
      now: clock.now,
      onAlarm: (_, alarm) => void alarms.push(alarm),
    },
  )
  const fail = (code: IdentityErrorCode) => {
    host.answer = () => {
      throw new IdentityError(code, `${code} here`)
    }
  }
  return { clock, alarms, host, resolver, fail }
}

test('another key, server or handle of a did:web is told, once', async () => {
  const { alarms, host, resolver } = world()
  const [old, stolen] = [generateKeypair('k256'), generateKeypair('k256')]
  host.answer = (did) => documentOf(did, { key: old })
  await resolver.resolve(alice)
  await resolver.resolve(alice)
  assert.deepEqual(alarms, [])
  host.answer = (did) => ({ ...documentOf(did, { key: stolen, pds: 'https://evil.test' }), alsoKnownAs: [] })
  await resolver.resolve(alice)
  await resolver.resolve(alice)
  assert.deepEqual(alarms, [
    { kind: 'signingKey', before: old.didKey, after: stolen.didKey },
    { kind: 'pds', before: 'https://pds.test', after: 'https://evil.test' },
    { kind: 'handle', before: 'alice.test', after: undefined },
  ])
})

test('what atproto does not read changes silently', async () => {
  const { alarms, host, resolver } = world()
  const document = documentOf(alice)
  host.answer = () => document
  await resolver.resolve(alice)
  host.answer = () => ({
    ...document,
    service: [...document.service!, { id: '#x', type: 'X', serviceEndpoint: 1 }],
  })
  await resolver.resolve(alice)
  assert.deepEqual(alarms, [])
})

test('the last good document stands in for a host that does not answer, for a week', async () => {
  const { alarms, clock, host, resolver, fail } = world()
  const document = documentOf(alice)
  host.answer = () => document
  await resolver.resolve(alice)
  fail('Unavailable')
  assert.equal(await resolver.resolve(alice), document)
  assert.deepEqual(alarms, [])
  fail('InvalidDocument')
  assert.equal(await resolver.resolve(alice), document)
  assert.deepEqual(
    alarms.map(({ kind }) => kind),
    ['lost'],
  )
  fail('Unavailable')
  clock.advance(7 * DAY_MS)
  await assert.rejects(resolver.resolve(alice), { code: 'Unavailable' })
})

test('a host that has no document any more is believed, with an alarm', async () => {
  const { alarms, host, resolver, fail } = world()
  fail('DidNotFound')
  await assert.rejects(resolver.resolve(alice), { code: 'DidNotFound' })
  assert.deepEqual(alarms, [])
  host.answer = documentOf
  await resolver.resolve(alice)
  fail('DidNotFound')
  await assert.rejects(resolver.resolve(alice), { code: 'DidNotFound' })
  assert.deepEqual(
    alarms.map(({ kind }) => kind),
    ['lost'],
  )
})

test('a did:plc has a history of its own, and is passed on', async () => {
  const { alarms, host, resolver, fail } = world()
  const plc: Did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
  host.answer = documentOf
  await resolver.resolve(plc)
  fail('Unavailable')
  await assert.rejects(resolver.resolve(plc), { code: 'Unavailable' })
  assert.deepEqual(alarms, [])
})
