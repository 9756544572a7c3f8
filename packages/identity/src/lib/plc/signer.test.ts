import assert from 'node:assert/strict'
import test from 'node:test'
import { importKeypair, type Keypair } from '@imago/crypto'
import { createGenesis } from './author-operation.ts'
import { likeliestSigner, remember } from './rotation-key.ts'
import { findSigner, findSignerOfBytes, signedBytesOf } from './signer.ts'

const keypairs = [1, 2, 3].flatMap((n) =>
  (['k256', 'p256'] as const).map((curve) => importKeypair(curve, new Uint8Array(32).fill(0x50 + n))),
)
const [recovery, host, other] = keypairs.map(({ didKey }) => didKey) as [string, string, string]

function genesisBy(keypair: Keypair) {
  const data = { verificationMethods: {}, alsoKnownAs: [], services: {} }
  return createGenesis({ rotationKeys: [keypair.didKey], ...data }, keypair).operation
}

test('whichever key is tried first, the first of the keys that signed is found', () => {
  const texts = [...keypairs.map(({ didKey }) => didKey), 'did:key:zNobody', '']
  for (const favourite of texts) {
    for (let i = 0; i < 20; i++) for (const text of texts) remember(text, text === favourite)
    for (const keypair of keypairs) {
      const operation = genesisBy(keypair)
      const at = texts.indexOf(keypair.didKey)
      assert.equal(findSigner(texts, operation), at)
      assert.equal(findSigner([...texts, ...texts], operation), at)
      assert.equal(
        findSigner([favourite, favourite, ...texts], operation),
        favourite === keypair.didKey ? 0 : at + 2,
      )
      assert.equal(findSignerOfBytes(texts.toReversed(), signedBytesOf(operation)!), texts.length - 1 - at)
      const without = texts.filter((text) => text !== keypair.didKey)
      assert.equal(findSigner(without, operation), -1)
      assert.equal(findSigner([], operation), -1)
    }
  }
})

test('a key that waits for a recovery is not tried before the key of a host that signs', () => {
  remember(recovery, false)
  assert.equal(likeliestSigner([recovery]), recovery)
  for (let i = 0; i < 100; i++) remember(host, true)
  assert.equal(likeliestSigner([recovery, host]), host)
  assert.equal(likeliestSigner(['did:key:zNeverSeen', host]), host)
  assert.equal(likeliestSigner([recovery, 'did:key:zNeverSeen']), 'did:key:zNeverSeen')
  // Where both sign, the order of the list counts.
  for (let i = 0; i < 100; i++) remember(other, true)
  assert.equal(likeliestSigner([other, host]), other)
  assert.equal(likeliestSigner([host, other]), host)
  // A host that has signed a hundred times and stops is soon known to have.
  for (let i = 0; i < 8; i++) remember(host, false)
  assert.equal(likeliestSigner([host, other]), other)
})
