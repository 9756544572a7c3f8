import assert from 'node:assert/strict'
import test from 'node:test'
import { fromBase64 } from '@imago/data/multibase'
import { vectorTest } from '@imago/sim/infrastructure'
import { createRandom } from '@imago/sim/random'
import { generateKeypair } from './keypair.ts'
import { CURVES } from './lib/curves.ts'
import { subtractFrom } from './lib/scalar.ts'
import { parseDidKey } from './public-key.ts'
import { verifySignature } from './verify-signature.ts'

interface SignatureVector {
  comment: string
  messageBase64: string
  publicKeyDid: string
  signatureBase64: string
  validSignature: boolean
}

vectorTest('signatures of the interoperability vectors: good, high-S and DER', ({ json }) => {
  const vectors = json<SignatureVector[]>('atproto-interop-tests/crypto/signature-fixtures.json')
  assert.equal(vectors.length, 6)
  for (const vector of vectors) {
    const key = parseDidKey(vector.publicKeyDid)
    // The vectors are standard base64 without padding, not base64url.
    const [message, signature] = [fromBase64(vector.messageBase64), fromBase64(vector.signatureBase64)]
    assert.equal(verifySignature(key, message, signature), vector.validSignature, vector.comment)
  }
})

test('a signature is good for its key and its message only', () => {
  for (const curve of ['k256', 'p256'] as const) {
    const [alice, bob] = [generateKeypair(curve), generateKeypair(curve)]
    const message = new TextEncoder().encode('hello')
    const signature = alice.sign(message)
    assert(verifySignature(alice.publicKey, message, signature))
    assert(!verifySignature(bob.publicKey, message, signature))
    assert(!verifySignature(alice.publicKey, message.subarray(1), signature))
  }
})

test('no bytes make verification throw', () => {
  const random = createRandom(1)
  for (const curve of ['k256', 'p256'] as const) {
    const { publicKey } = generateKeypair(curve)
    for (const length of [0, 1, 32, 63, 64, 64, 64, 65, 70, 72, 128])
      assert.equal(verifySignature(publicKey, random.bytes(20), random.bytes(length)), false)
    for (const byte of [0x00, 0x01, 0x7f, 0xff])
      assert.equal(verifySignature(publicKey, random.bytes(20), new Uint8Array(64).fill(byte)), false)
  }
})

test('a key that many messages are verified under stays as it was', () => {
  const { publicKey, sign } = generateKeypair('k256')
  for (let i = 0; i < 50; i++) {
    const message = Uint8Array.of(i)
    const signature = sign(message)
    assert(verifySignature(publicKey, message, signature))
    assert(!verifySignature(publicKey, Uint8Array.of(i + 1), signature))
  }
})

test('a view into a larger buffer verifies as a copy of it does', () => {
  for (const curve of ['k256', 'p256'] as const) {
    const { publicKey, sign } = generateKeypair(curve)
    const buffer = new Uint8Array(300).fill(5)
    const signature = sign(buffer.slice(100, 200))
    buffer.set(signature, 10)
    assert(verifySignature(publicKey, buffer.subarray(100, 200), buffer.subarray(10, 74)))
  }
})

test('trap sync 19: the high s of a good signature is refused, and so is its DER form', () => {
  for (const curve of ['k256', 'p256'] as const) {
    const { publicKey, sign } = generateKeypair(curve)
    const message = new TextEncoder().encode('hello')
    const signature = sign(message)
    const high = signature.slice()
    subtractFrom(CURVES[curve].order, high, 32)
    assert(verifySignature(publicKey, message, signature))
    assert(!verifySignature(publicKey, message, high))
    assert(!verifySignature(publicKey, message, derOf(signature)))
  }
})

function derOf(signature: Uint8Array): Uint8Array {
  const integers = [signature.subarray(0, 32), signature.subarray(32)].flatMap((scalar) => [
    2,
    33,
    0, // Zero in front is never wrong for OpenSSL, which takes BER.
    ...scalar,
  ])
  return Uint8Array.of(0x30, integers.length, ...integers)
}
