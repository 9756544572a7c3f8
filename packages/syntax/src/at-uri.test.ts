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
