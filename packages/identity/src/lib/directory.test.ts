import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair, multikeyOf } from '@imago/crypto'
import { createManualClock } from '@imago/sim/clock'
import type { Did, Handle } from '@imago/syntax'
import type { DidDocument } from './did-document.ts'
import { createDirectory } from './directory.ts'
import { IdentityError } from './identity-error.ts'

const HOUR_MS = 3_600_000
const alice: Did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const key = generateKeypair('p256')

/** A world of documents and handles that a test rearranges, and a directory over it that counts its questions. */
function world() {
  const clock = createManualClock()
  const documents = new Map<Did, DidDocument | IdentityError>()
  const names = new Map<Handle, Did | IdentityError>()
  const asked: string[] = []
  const answer = async <K extends string, V>(map: Map<K, V | IdentityError>, name: K): Promise<V> => {
    asked.push(name)
    await Promise.resolve()
    const found = map.get(name) ?? new IdentityError('DidNotFound', name)
    if (found instanceof IdentityError) throw found
    return found
  }
  const directory = createDirectory({
    dids: { resolve: (did) => answer(documents, did) },
    handles: { resolve: (handle) => answer(names, handle) },
    now: clock.now,
    capacity: 3,
  })
  const claim = (did: Did, handle: Handle) =>
    documents.set(did, {
      id: did,
      alsoKnownAs: [`at://${handle}`],
      verificationMethod: [
        { id: `${did}#atproto`, type: 'Multikey', publicKeyMultibase: multikeyOf(key.publicKey) },
      ],
      service: [
        { id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: 'https://pds.test' },
      ],
    })
  claim(alice, 'alice.test')
  names.set('alice.test', alice)
  const questions = () => asked.splice(0)
  return { clock, documents, names, directory, claim, questions }
}

const unavailable = new IdentityError('Unavailable', 'down')
/** Lets what goes on behind the caller's back come to its end. */
const settle = () => new Promise((done) => setImmediate(done))

test('an identity is a document, its key and PDS, and a handle that agrees', async () => {
  const { directory } = world()
  const identity = await directory.resolve(alice)
  assert.equal(identity.handle, 'alice.test')
  assert.equal(identity.signingKey?.didKey, key.didKey)
  assert.equal(identity.pds, 'https://pds.test')
  assert.equal((await directory.resolveIdentifier('ALICE.test')).did, alice)
  assert.equal((await directory.resolveIdentifier(alice)).handle, 'alice.test')
})

test('a handle that does not name the DID is handle.invalid; a name that nobody claims is not found', async () => {
  const { directory, names, documents } = world()
  names.set('other.test', alice)
  await assert.rejects(directory.resolveIdentifier('other.test'), { code: 'HandleNotFound' })
  assert.equal(await directory.resolveHandle('other.test'), alice)
  names.set('alice.test', 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb')
  assert.equal((await directory.resolve(alice)).handle, 'handle.invalid')
  documents.set('did:web:a.test', { id: 'did:web:a.test' })
  assert.equal((await directory.resolve('did:web:a.test')).handle, 'handle.invalid')
})

test('one question at a time, however many ask', async () => {
  const { directory, questions } = world()
  await Promise.all(Array.from({ length: 20 }, () => directory.resolveDid(alice)))
  assert.deepEqual(questions(), [alice])
  await Promise.all(Array.from({ length: 20 }, () => directory.resolveDid(alice, { refresh: true })))
  assert.deepEqual(questions(), [alice])
})

test('a refresh during a question asks once more, for the first may have come too early', async () => {
  const { directory, questions, claim } = world()
  const first = directory.resolveDid(alice)
  await Promise.resolve()
  const refreshed = Promise.all([
    directory.resolveDid(alice, { refresh: true }),
    directory.resolveDid(alice, { refresh: true }),
  ])
  claim(alice, 'new.test')
  await first
  for (const identity of await refreshed) assert.equal(identity.data.handle, 'new.test')
  assert.deepEqual(questions(), [alice, alice])
})

test('fresh for an hour, then stale and renewed in the background, then asked anew', async () => {
  const { directory, questions, claim, clock } = world()
  await directory.resolveDid(alice)
  claim(alice, 'new.test')
  clock.advance(HOUR_MS - 1)
  assert.equal((await directory.resolveDid(alice)).data.handle, 'alice.test')
  assert.deepEqual(questions(), [alice])
  clock.advance(1)
  assert.equal((await directory.resolveDid(alice)).data.handle, 'alice.test')
  await settle()
  assert.equal((await directory.resolveDid(alice)).data.handle, 'new.test')
  assert.deepEqual(questions(), [alice])
  claim(alice, 'newer.test')
  clock.advance(24 * HOUR_MS)
  assert.equal((await directory.resolveDid(alice)).data.handle, 'newer.test')
})

test('an outage does not take away a stale value, and is not asked about again at once', async () => {
  const { directory, questions, documents, clock } = world()
  await directory.resolveDid(alice)
  documents.set(alice, unavailable)
  clock.advance(2 * HOUR_MS)
  questions()
  for (let i = 0; i < 3; i++) {
    assert.equal((await directory.resolveDid(alice)).did, alice)
    await settle()
  }
  assert.deepEqual(questions(), [alice])
  await assert.rejects(directory.resolveDid(alice, { refresh: true }), { code: 'Unavailable' })
  assert.equal((await directory.resolveDid(alice)).did, alice)
  clock.advance(22 * HOUR_MS)
  await assert.rejects(directory.resolveDid(alice), { code: 'Unavailable' })
})

test('an answer does take it away: what is ended is ended', async () => {
  const { directory, documents } = world()
  await directory.resolveDid(alice)
  documents.set(alice, new IdentityError('DidDeactivated', alice))
  await assert.rejects(directory.resolveDid(alice, { refresh: true }), { code: 'DidDeactivated' })
  await assert.rejects(directory.resolveDid(alice), { code: 'DidDeactivated' })
})

test('a failure is remembered for two minutes', async () => {
  const { directory, questions, claim, clock } = world()
  const bob: Did = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
  await assert.rejects(directory.resolveDid(bob), { code: 'DidNotFound' })
  claim(bob, 'bob.test')
  clock.advance(119_999)
  await assert.rejects(directory.resolveDid(bob), { code: 'DidNotFound' })
  assert.deepEqual(questions(), [bob])
  clock.advance(1)
  assert.equal((await directory.resolveDid(bob)).did, bob)
})

test('what is invalidated is forgotten, also what was on its way', async () => {
  const { directory, questions, claim } = world()
  await directory.resolve(alice)
  directory.invalidate(alice)
  questions()
  await directory.resolve(alice)
  assert.deepEqual(questions(), [alice, 'alice.test'])
  directory.invalidate(alice)
  const late = directory.resolveDid(alice)
  await Promise.resolve()
  directory.invalidate(alice)
  claim(alice, 'new.test')
  await late
  assert.equal((await directory.resolveDid(alice)).data.handle, 'new.test')
})

test('the least recently used is forgotten first', async () => {
  const { directory, documents, questions } = world()
  const dids = ['did:web:a.test', 'did:web:b.test', 'did:web:c.test', 'did:web:d.test'] as const
  for (const did of dids) documents.set(did, { id: did })
  for (const did of dids.slice(0, 3)) await directory.resolveDid(did)
  await directory.resolveDid(dids[0])
  await directory.resolveDid(dids[3])
  questions()
  await directory.resolveDid(dids[0])
  await directory.resolveDid(dids[1])
  assert.deepEqual(questions(), [dids[1]])
})
