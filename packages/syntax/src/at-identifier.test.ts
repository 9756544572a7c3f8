import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import fc from 'fast-check'
import { isAtIdentifier, parseAtIdentifier, tryParseAtIdentifier } from './at-identifier.ts'
import { isDid } from './did.ts'
import { isHandle } from './handle.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

vectorTest('at-identifiers of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/atidentifier_syntax_valid.txt'))
    assert(isAtIdentifier(line), line)
  for (const line of lines('atproto-interop-tests/syntax/atidentifier_syntax_invalid.txt'))
    assert(!isAtIdentifier(line), line)
})

test('nothing is both a DID and a handle', () => {
  const text = fc.stringMatching(/^(did:[a-z]{1,4}:)?[a-z0-9.:-]{1,20}$/)
  fc.assert(
    fc.property(text, (value) => {
      assert(!(isDid(value) && isHandle(value)))
      assert.equal(isAtIdentifier(value), isDid(value) || isHandle(value))
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseAtIdentifier('did:web:example.com'), 'did:web:example.com')
  assert.equal(tryParseAtIdentifier('Alice.test'), 'Alice.test')
  assert.equal(tryParseAtIdentifier('@alice.test'), undefined)
  assert.throws(() => parseAtIdentifier('@alice.test'), InvalidIdentifierError)
})
