import assert from 'node:assert/strict'
import test from 'node:test'
import { CRYPTO_LIBRARIES } from './crypto-libraries.ts'

test('under Node, both curves run on native code, and the table says so', () => {
  assert.deepEqual(CRYPTO_LIBRARIES, { p256: 'OpenSSL', k256: 'libsecp256k1' })
})
