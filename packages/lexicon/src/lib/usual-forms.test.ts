import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import type { StringFormat } from '../document.ts'
import { FORMATS } from './formats.ts'
import { USUAL_FORMS, usualMimeTypes } from './usual-forms.ts'
import { isBlob } from './values.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const isUsual = (format: StringFormat, text: string) =>
  USUAL_FORMS[format](bytes(text), 0, bytes(text).length)

const label = (length: number) => 'a'.repeat(length)
const days = Array.from({ length: 14 * 33 }, (_, i) => {
  const part = (n: number) => String(n).padStart(2, '0')
  return `2023-${part(Math.floor(i / 33))}-${part(i % 33)}T00:00:00Z`
})

/** What the formats of usual strings nearly allow, and what they allow at most. */
const TEXTS: Readonly<Record<StringFormat, readonly string[]>> = {
  did: [
    'did:a:b',
    'did:a:',
    'did::b',
    'did:a:b:',
    'did:a:b%',
    'did:A:b',
    'did:a',
    'DID:a:b',
    `did:a:${label(2042)}`,
    `did:a:${label(2043)}`,
  ],
  handle: ['a.b', 'a', 'a.1', '1.a', '.a.b', 'a..b', 'a.b.', `${label(63)}.a`, `${label(64)}.a`, 'a-b.c'],
  'at-identifier': ['did:a:b', 'a.b', 'did:a:', 'a'],
  nsid: [
    'a.b.c',
    'a.b',
    '1.b.c',
    'a.1.c',
    'a.b.1',
    'a.b.c1',
    `a.${label(63)}.b`,
    `a.${label(64)}.b`,
    'a.b.c-d',
    'a..c',
  ],
  'record-key': ['a', '.', '..', '...', '', label(512), label(513), 'a/b', '~:_-.a'],
  'at-uri': [
    'at://did:a:b/a.b.c/d',
    'at://did:a:b/a.b.c/..',
    'at://did:a:b/a.b.c/',
    'at://did:a:b/a.b/c',
    'at://did:a:b:/a.b.c/d',
    'at://did:a:b/a.b.c/d/e',
    `at://did:a:b/a.${label(64)}.b/c`,
    'at:/did:a:b/a.b.c/d',
  ],
  cid: [label(7), label(8), label(256), label(257), `Qm${label(44)}`, 'aaaa-aaaa', `${label(8)}+=`],
  tid: ['3jzfcijpj2z2a', 'jzzzzzzzzzzzz', 'kzzzzzzzzzzzz', '3jzfcijpj2z2', '3jzfcijpj2z2aa', '3jzfcijpj2z21'],
  language: ['a', 'ab', 'abc', 'abcd', 'aB'],
  uri: [
    'a:b',
    ':b',
    'a:',
    'A:b',
    'a1:b',
    `${label(81)}:b`,
    `${label(82)}:b`,
    'a: ',
    'a:\x7f',
    `a:${label(8190)}`,
    `a:${label(8191)}`,
  ],
  datetime: [
    ...days,
    '2023-01-01T24:00:00Z',
    '2023-01-01T00:60:00Z',
    '2023-01-01T00:00:60Z',
    '2023-01-01T00:00:00',
    '2023-01-01T00:00:00.Z',
    `2023-01-01T00:00:00.${'1'.repeat(20)}Z`,
    `2023-01-01T00:00:00.${'1'.repeat(21)}Z`,
    '0000-01-01T00:00:00Z',
    '2023-01-01t00:00:00Z',
    '2023-01-01T00:00:00ZZ',
  ],
}

for (const [format, texts] of Object.entries(TEXTS) as [StringFormat, string[]][])
  test(`${format}: what looks usual is valid, and some of it does`, () => {
    const usual = texts.filter((text) => isUsual(format, text))
    for (const text of usual) assert.ok(FORMATS[format](text, 'strict'), text)
    assert.ok(usual.length > 0 && usual.length < texts.length)
  })

test('MIME types: what looks accepted is', () => {
  const types = [
    'image/png',
    'image/',
    'image',
    'image/*',
    'image/a/b',
    'image/a;b',
    'image/a b',
    'text/plain',
    'text/plain ',
  ]
  for (const accept of [['image/*'], ['text/plain'], ['image/*', 'text/plain'], ['*/*'], []])
    for (const mimeType of types) {
      const blob = { $type: 'blob', ref: cidOfRaw(new Uint8Array()), mimeType, size: 0 }
      assert.equal(
        usualMimeTypes(accept)(bytes(mimeType), 0, mimeType.length),
        isBlob(blob, 'strict', accept),
        `${mimeType} for ${accept}`,
      )
    }
})
