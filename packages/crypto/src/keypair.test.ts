import assert from 'node:assert/strict'
import test from 'node:test'
import { fromBase58btc, fromHex, toHex } from '@imago/data/multibase'
import { vectorTest } from '@imago/sim/infrastructure'
import { KeyError } from './key-error.ts'
import { generateKeypair, importKeypair } from './keypair.ts'
import { CURVES } from './lib/curves.ts'
import { isAtMost } from './lib/scalar.ts'
import { verifySignature } from './verify-signature.ts'

const BOTH = ['k256', 'p256'] as const

vectorTest('secret keys of the W3C did:key vectors have the public keys that they should', ({ json }) => {
  for (const { privateKeyBytesHex, publicDidKey } of json<
    { privateKeyBytesHex: string; publicDidKey: string }[]
  >('atproto-interop-tests/crypto/w3c_didkey_K256.json'))
    assert.equal(importKeypair('k256', fromHex(privateKeyBytesHex)).didKey, publicDidKey)
  for (const { privateKeyBytesBase58, publicDidKey } of json<
    { privateKeyBytesBase58: string; publicDidKey: string }[]
  >('atproto-interop-tests/crypto/w3c_didkey_P256.json'))
    assert.equal(importKeypair('p256', fromBase58btc(privateKeyBytesBase58)).didKey, publicDidKey)
})

test('an exported secret makes the same key pair, and is a copy', () => {
  for (const curve of BOTH) {
    const keypair = generateKeypair(curve)
    const secret = keypair.exportSecret()
    assert.equal(secret.length, 32)
    const again = importKeypair(curve, secret)
    assert.equal(again.didKey, keypair.didKey)
    const exported = toHex(secret)
    secret.fill(0)
    assert.equal(toHex(keypair.exportSecret()), exported)
    assert.equal(toHex(again.exportSecret()), exported)
    const message = new Uint8Array(8)
    assert(verifySignature(keypair.publicKey, message, again.sign(message)))
  }
})

test('every signature is 64 bytes with a low s', () => {
  for (const curve of BOTH) {
    const { publicKey, sign } = generateKeypair(curve)
    // Unnormalised, the chance that forty in a row were low is one in a trillion.
    for (let i = 0; i < 40; i++) {
      const message = Uint8Array.of(i)
      const signature = sign(message)
      assert.equal(signature.constructor, Uint8Array)
      assert.equal(signature.length, 64)
      assert(isAtMost(signature, 32, CURVES[curve].halfOrder))
      assert(verifySignature(publicKey, message, signature))
    }
  }
})

test('keys that are generated differ', () => {
  for (const curve of BOTH) {
    const keys = Array.from({ length: 10 }, () => generateKeypair(curve).didKey)
    assert.equal(new Set(keys).size, keys.length)
  }
})

test('a secret out of range is refused, and not repeated in the message', () => {
  for (const curve of BOTH) {
    const { order } = CURVES[curve]
    const outOfRange = [
      new Uint8Array(32),
      order,
      new Uint8Array(32).fill(255),
      new Uint8Array(31).fill(7),
      new Uint8Array(33).fill(7),
      new Uint8Array(0),
    ]
    for (const secret of outOfRange)
      assert.throws(
        () => importKeypair(curve, secret),
        (error: unknown) =>
          error instanceof KeyError && error.code === 'InvalidSecret' && !error.message.includes('0707'),
      )
    assert.equal(importKeypair(curve, order.with(31, order[31]! - 1)).publicKey.bytes.length, 33)
  }
})
