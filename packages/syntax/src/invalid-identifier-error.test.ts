import assert from 'node:assert/strict'
import test from 'node:test'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

test('the message bounds and escapes a value from outside', () => {
  const { message } = new InvalidIdentifierError('handle', 'a\n\u0007' + 'x'.repeat(10_000), 'a domain name')
  assert(message.length < 200)
  assert(!message.includes('\n'))
  assert(message.endsWith('(expected a domain name)'))
})

test('a value that is not a string is named by its type', () => {
  assert.match(new InvalidIdentifierError('DID', null, 'did:…').message, /: null \(/)
  assert.match(new InvalidIdentifierError('DID', { secret: 1 }, 'did:…').message, /: object \(/)
})
