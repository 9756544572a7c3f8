import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { atUri, isAtUri, parseAtUri, splitAtUri, tryParseAtUri } from './at-uri.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const POSTS = 'app.bsky.feed.post'

vectorTest('AT-URIs of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/aturi_syntax_valid.txt')) assert(isAtUri(line), line)
  for (const line of lines('atproto-interop-tests/syntax/aturi_syntax_invalid.txt'))
    assert(!isAtUri(line), line)
})

test('an AT-URI splits into the parts it was made of', () => {
  for (const parts of [
    { authority: DID },
    { authority: 'alice.test' },
    { authority: DID, collection: POSTS },
    { authority: 'alice.test', collection: POSTS, rkey: '3jzfcijpj2z2a' },
  ] as const) {
    const { authority, collection, rkey } = { collection: undefined, rkey: undefined, ...parts }
    const uri = atUri(authority, collection, rkey)
    assert(isAtUri(uri), uri)
    assert.deepEqual(splitAtUri(uri), parts)
  }
  assert.equal(atUri(DID, POSTS, 'self'), `at://${DID}/${POSTS}/self`)
})

test('nothing may follow the record key, and no part may be empty', () => {
  for (const uri of [
    'at://',
    'at:///',
    `at://${DID}/`,
    `at://${DID}//`,
    `at://${DID}/${POSTS}/`,
    `at://${DID}//self`,
    `at://${DID}/${POSTS}/self/`,
    `at://${DID}/${POSTS}/self?x=1`,
    `at://${DID}/${POSTS}/self#frag`,
    `at://${DID}/${POSTS}/self\n`,
    `at://alice:secret@alice.test/${POSTS}`,
  ])
    assert(!isAtUri(uri), uri)
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseAtUri(`at://${DID}`), `at://${DID}`)
  assert.equal(tryParseAtUri(DID), undefined)
  assert.equal(tryParseAtUri(undefined), undefined)
  assert.throws(() => parseAtUri('https://example.com'), InvalidIdentifierError)
})

test('each part is held to its own length, however short the whole is', () => {
  const label = (length: number) => 'a'.repeat(length)
  const handle = (length: number) => `${`${label(63)}.`.repeat(4).slice(0, length - 2)}.a`
  for (const [length, valid] of [
    [63, true],
    [64, false],
  ] as const) {
    for (const nsid of [`a.${label(length)}.b`, `${label(length)}.a.b`, `a.b.${label(length)}`])
      assert.equal(isAtUri(`at://did:a:b/${nsid}`), valid, nsid)
    assert.equal(isAtUri(`at://${label(length)}.a`), valid)
    assert.equal(isAtUri(`at://a.${label(length)}/a.b.c`), valid)
  }
  assert.equal(isAtUri(`at://${handle(253)}`), true)
  assert.equal(isAtUri(`at://${handle(254)}`), false)
  assert.equal(isAtUri(`at://did:a:${label(2042)}/a.b.c/d`), true)
  assert.equal(isAtUri(`at://did:a:${label(2043)}/a.b.c/d`), false)
  assert.equal(isAtUri(`at://did:a:b/a.b.c/${label(512)}`), true)
  assert.equal(isAtUri(`at://did:a:b/a.b.c/${label(513)}`), false)
  for (const dots of ['.', '..']) assert.equal(isAtUri(`at://did:a:b/a.b.c/${dots}`), false)
})
