import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { isCidString, parseCidString, tryParseCidString } from './cid-string.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

const CID = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'

vectorTest('CIDs of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/cid_syntax_valid.txt'))
    assert(isCidString(line), line)
  for (const line of lines('atproto-interop-tests/syntax/cid_syntax_invalid.txt'))
    assert(!isCidString(line), line)
})

test('a CID has 8 to 256 characters', () => {
  assert(!isCidString('b'.repeat(7)))
  assert(isCidString('b'.repeat(8)))
  assert(isCidString('b'.repeat(256)))
  assert(!isCidString('b'.repeat(257)))
})

test('version 0 is told from a multibase that begins with Q', () => {
  const v0 = 'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR'
  assert(!isCidString(v0))
  assert(isCidString(`${v0}x`))
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseCidString(CID), CID)
  assert.equal(tryParseCidString(`${CID}\n`), undefined)
  assert.equal(tryParseCidString({ $link: CID }), undefined)
  assert.throws(() => parseCidString('cid:' + CID), InvalidIdentifierError)
})
