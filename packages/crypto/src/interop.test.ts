import assert from 'node:assert/strict'
import test from 'node:test'
import { P256Keypair, Secp256k1Keypair, verifySignature as theirVerify } from '@atproto/crypto'
import { generateKeypair, importKeypair, verifySignature } from './index.ts'

const THEIRS = { k256: Secp256k1Keypair, p256: P256Keypair } as const

test('the reference implementation and this one read each other’s keys and signatures', async () => {
  for (const curve of ['k256', 'p256'] as const) {
    const ours = generateKeypair(curve)
    const theirs = await THEIRS[curve].import(ours.exportSecret(), { exportable: true })
    assert.equal(theirs.did(), ours.didKey)
    assert.equal(importKeypair(curve, await theirs.export()).didKey, ours.didKey)
    for (let i = 0; i < 4; i++) {
      const message = Uint8Array.of(i)
      assert(await theirVerify(ours.didKey, message, ours.sign(message)))
      assert(verifySignature(ours.publicKey, message, await theirs.sign(message)))
    }
  }
})
