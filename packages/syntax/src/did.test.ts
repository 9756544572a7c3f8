import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { isDid, parseDid, tryParseDid } from './did.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

const ALICE = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'

vectorTest('DIDs of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/did_syntax_valid.txt')) assert(isDid(line), line)
  for (const line of lines('atproto-interop-tests/syntax/did_syntax_invalid.txt')) assert(!isDid(line), line)
})

test('a DID has at most 2048 characters', () => {
  const longest = 'did:web:' + 'a'.repeat(2040)
  assert(isDid(longest))
  assert(!isDid(longest + 'a'))
})

test('a DID ends neither in a colon nor in a percent sign', () => {
  assert(isDid('did:web:localhost%3A2583'))
  assert(!isDid('did:web:localhost%3A'.slice(0, -2)))
  assert(!isDid('did:web:example.com:'))
  assert(!isDid(ALICE + '\n'))
})

test('parsing answers the same string, or says what is wrong with it', () => {
  assert.equal(parseDid(ALICE), ALICE)
  assert.equal(tryParseDid(ALICE), ALICE)
  assert.equal(tryParseDid('alice.test'), undefined)
  for (const value of [undefined, null, 1, {}, [ALICE]]) assert.equal(tryParseDid(value), undefined)
  assert.throws(
    () => parseDid('did:PLC:abc'),
    (error: unknown) =>
      error instanceof InvalidIdentifierError &&
      error.code === 'InvalidIdentifier' &&
      error.kind === 'DID' &&
      error.value === 'did:PLC:abc' &&
      error.message ===
        'not a valid DID: "did:PLC:abc" (expected did:<method>:<identifier>, at most 2048 characters)',
  )
})
