import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { isNsid, nsidAuthority, nsidName, parseNsid, tryParseNsid } from './nsid.ts'

vectorTest('NSIDs of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/nsid_syntax_valid.txt')) assert(isNsid(line), line)
  for (const line of lines('atproto-interop-tests/syntax/nsid_syntax_invalid.txt'))
    assert(!isNsid(line), line)
})

test('an NSID has at most 317 characters, its segments at most 63', () => {
  const segment = 'a'.repeat(63)
  assert(isNsid(`com.${segment}.${segment}`))
  assert(!isNsid(`com.${segment}a.foo`))
  assert(!isNsid(`com.example.${segment}a`))
  const longest = `com.${`${segment}.`.repeat(4)}${'a'.repeat(57)}`
  assert.equal(longest.length, 317)
  assert(isNsid(longest))
  assert(!isNsid(longest + 'a'))
})

test('a fragment, a wildcard or a line end is not part of an NSID', () => {
  for (const value of ['com.example.foo#main', 'com.example.*', 'com.example.foo\n'])
    assert(!isNsid(value), value)
})

test('an NSID takes apart into its authority and its name', () => {
  assert.equal(nsidAuthority('app.bsky.feed.post'), 'feed.bsky.app')
  assert.equal(nsidName('app.bsky.feed.post'), 'post')
  assert.equal(nsidAuthority('COM.Example.fooBar'), 'example.com')
  assert.equal(nsidName('COM.Example.fooBar'), 'fooBar')
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseNsid('com.example.fooBar'), 'com.example.fooBar')
  assert.equal(tryParseNsid('com.example'), undefined)
  assert.throws(() => parseNsid('com.example'), InvalidIdentifierError)
})

test('a segment of 64 characters is one too long, wherever it stands', () => {
  const label = (length: number) => 'a'.repeat(length)
  for (const [length, valid] of [
    [63, true],
    [64, false],
  ] as const)
    for (const nsid of [`a.${label(length)}.b`, `${label(length)}.a.b`, `a.b.${label(length)}`])
      assert.equal(isNsid(nsid), valid, nsid)
})
