import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { isRecordKey, parseRecordKey, tryParseRecordKey } from './record-key.ts'

vectorTest('record keys of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/recordkey_syntax_valid.txt'))
    assert(isRecordKey(line), line)
  for (const line of lines('atproto-interop-tests/syntax/recordkey_syntax_invalid.txt'))
    assert(!isRecordKey(line), line)
})

test('of all ASCII characters, exactly the documented ones may stand in a record key', () => {
  const allowed = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter((character) =>
    isRecordKey(`a${character}`),
  )
  assert.equal(allowed.join(''), '-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~')
})

test('a record key is neither empty nor longer than 512 characters', () => {
  assert(!isRecordKey(''))
  assert(isRecordKey('a'.repeat(512)))
  assert(!isRecordKey('a'.repeat(513)))
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseRecordKey('self'), 'self')
  assert.equal(tryParseRecordKey('..'), undefined)
  assert.throws(() => parseRecordKey('a/b'), InvalidIdentifierError)
})
