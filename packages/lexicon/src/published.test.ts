import assert from 'node:assert/strict'
import test from 'node:test'
import { parseLexiconDocument } from './parse-document.ts'
import { lexiconDnsName, lexiconPublisher, publishedDocument, referencedDocuments } from './published.ts'

const nsid = 'com.example.note'
const document = {
  lexicon: 1,
  id: nsid,
  defs: { main: { type: 'record', key: 'tid', record: { type: 'object', properties: {} } } },
}
const $type = 'com.atproto.lexicon.schema'

test('[P4] the authority of an NSID is asked in DNS, by its domain name', () => {
  assert.equal(lexiconDnsName('app.bsky.feed.post'), '_lexicon.feed.bsky.app')
  assert.equal(lexiconDnsName('Com.Example.note'), '_lexicon.example.com')
})

test('[P4] TXT records name one DID, or nobody', () => {
  assert.equal(lexiconPublisher([['v=spf1'], ['did=did:plc:', 'alice']]), 'did:plc:alice')
  assert.equal(lexiconPublisher([['did=did:plc:alice'], ['did=did:plc:alice ']]), 'did:plc:alice')
  for (const records of [[], [['did=nothing']], [['did=did:plc:alice'], ['did=did:plc:bob']]])
    assert.equal(lexiconPublisher(records), undefined)
})

test('[P4] a record holds the document of its key, or none', () => {
  assert.deepEqual(publishedDocument(nsid, { ...document, $type }), document)
  assert.throws(() => publishedDocument(nsid, document), /\/\$type must be com.atproto.lexicon.schema/)
  assert.throws(() => publishedDocument('com.example.other', { ...document, $type }), /\/id must be/)
  assert.throws(() => publishedDocument(nsid, { $type, lexicon: 1, id: nsid }), { code: 'InvalidDocument' })
})

test('a document names the others that it stands on', () => {
  const field = {
    a: { type: 'ref', ref: '#here' },
    b: { type: 'ref', ref: 'com.example.defs#thing' },
    c: {
      type: 'array',
      items: { type: 'union', refs: ['com.example.one', 'com.example.two#x', `${nsid}#here`] },
    },
    ref: { type: 'string', description: 'com.example.none' },
  }
  const parsed = parseLexiconDocument({
    ...document,
    defs: {
      main: { type: 'record', key: 'tid', record: { type: 'object', properties: field } },
      here: { type: 'object', properties: { d: { type: 'ref', ref: 'com.example.defs' } } },
    },
  })
  assert.deepEqual(
    [...referencedDocuments(parsed)],
    ['com.example.defs', 'com.example.one', 'com.example.two'],
  )
})
