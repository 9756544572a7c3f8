import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import {
  hasDisallowedTld,
  INVALID_HANDLE,
  isHandle,
  normalizeHandle,
  parseHandle,
  tryParseHandle,
} from './handle.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

vectorTest('handles of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/handle_syntax_valid.txt'))
    assert(isHandle(line), line)
  for (const line of lines('atproto-interop-tests/syntax/handle_syntax_invalid.txt'))
    assert(!isHandle(line), line)
})

test('a handle has at most 253 characters, its labels at most 63', () => {
  const label = 'a'.repeat(63)
  const longest = [label, label, label, 'a'.repeat(56), 'test'].join('.')
  assert.equal(longest.length, 253)
  assert(isHandle(longest))
  assert(!isHandle(longest + 's'))
  assert(!isHandle(`${label}a.test`))
  assert(isHandle(`a.${label}`))
  assert(!isHandle(`a.${label}a`))
})

test('letters beyond ASCII never pass for ASCII ones', () => {
  assert(!isHandle('\u212aelvin.test')) // KELVIN SIGN, whose lower case is k
  assert(!isHandle('\u017fam.test')) // LONG S, whose upper case is S
  assert(!isHandle('alice.test\n'))
})

test('letter case is kept when parsing, and dropped when normalising', () => {
  assert.equal(parseHandle('Alice.TEST'), 'Alice.TEST')
  assert.equal(normalizeHandle(parseHandle('Alice.TEST')), 'alice.test')
})

test('top-level domains that cannot be registered are told apart from bad syntax', () => {
  for (const handle of [
    'a.local',
    'a.arpa',
    'a.invalid',
    'a.localhost',
    'a.internal',
    'a.example',
    'a.onion',
    'a.ALT',
  ]) {
    assert(isHandle(handle))
    assert(hasDisallowedTld(handle), handle)
  }
  for (const handle of ['alice.test', 'local.example.com', 'alice.notlocal'] as const)
    assert(!hasDisallowedTld(handle), handle)
  assert(isHandle(INVALID_HANDLE) && hasDisallowedTld(INVALID_HANDLE))
})

test('what is not a handle is refused with its value', () => {
  assert.equal(tryParseHandle('alice.test'), 'alice.test')
  assert.equal(tryParseHandle('alice'), undefined)
  assert.equal(tryParseHandle(undefined), undefined)
  assert.throws(() => parseHandle('alice'), InvalidIdentifierError)
  assert.throws(() => parseHandle('alice'), /not a valid handle: "alice"/)
})
