import assert from 'node:assert/strict'
import type { FuzzTarget } from '@imago/sim/fuzz'
import { HANDLE } from './handle.ts'
import * as syntax from './index.ts'
import { NSID } from './nsid.ts'
import { RECORD_KEY } from './record-key.ts'

/** One identifier's four functions agree with each other, and with whatever else says what the identifier is. */
function target(
  name: string,
  is: (value: unknown) => boolean,
  parse: (text: string) => string,
  seeds: readonly string[],
  agrees: (text: string, valid: boolean) => void = () => {},
): FuzzTarget {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    name,
    dictionary: [
      'did:',
      'at://',
      'com.example',
      '.',
      '..',
      '/',
      ':',
      '%',
      '-',
      '2026-01-31T12:00:00.000Z',
      '\u00e9',
    ],
    seeds: () => seeds.map((seed) => encoder.encode(seed)),
    run(input) {
      const text = decoder.decode(input)
      const valid = is(text)
      assert.equal(is(text), valid, 'the same answer twice')
      if (valid) assert.equal(parse(text), text)
      else assert.throws(() => parse(text), syntax.InvalidIdentifierError)
      agrees(text, valid)
    },
  }
}

/** By its parts, one after the other: how the specification reads. */
function isAtUriInParts(text: string): boolean {
  const [scheme, empty, authority, collection, rkey, ...more] = text.split('/')
  return (
    text.length <= 8192 &&
    scheme === 'at:' &&
    empty === '' &&
    more.length === 0 &&
    syntax.isAtIdentifier(authority) &&
    (collection === undefined || syntax.isNsid(collection)) &&
    (rkey === undefined || syntax.isRecordKey(rkey))
  )
}

/** Label by label. */
const isLabel = (label: string) => /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(label)

/**
 * Every identifier. Quick ways of judging the usual case (short patterns without counts, one pattern for a whole AT-URI,
 * a search for what does not belong) are held to the plain reading of the rule.
 */
export const targets: readonly FuzzTarget[] = [
  target('identifier-did', syntax.isDid, syntax.parseDid, [
    'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
    'did:web:a%3A1',
  ]),
  target(
    'identifier-handle',
    syntax.isHandle,
    syntax.parseHandle,
    ['alice.example.com', 'xn--ls8h.test', `${'a'.repeat(63)}.test`],
    (text, valid) => {
      assert.equal(valid, text.length <= 253 && HANDLE.test(text))
      const labels = text.split('.')
      const plain = labels.length >= 2 && labels.every(isLabel) && /^[a-zA-Z]/.test(labels.at(-1)!)
      assert.equal(valid, plain && text.length <= 253)
    },
  ),
  target(
    'identifier-at-identifier',
    syntax.isAtIdentifier,
    syntax.parseAtIdentifier,
    ['did:web:a.test', 'a.test'],
    (text, valid) => assert.equal(valid, syntax.isDid(text) || syntax.isHandle(text)),
  ),
  target(
    'identifier-nsid',
    syntax.isNsid,
    syntax.parseNsid,
    ['app.bsky.feed.post', 'a-b.c.d', `com.${'x'.repeat(63)}.y`],
    (text, valid) => {
      assert.equal(valid, text.length <= 317 && NSID.test(text))
      const segments = text.split('.')
      const plain =
        segments.length >= 3 &&
        segments.slice(0, -1).every(isLabel) &&
        /^[a-zA-Z]/.test(text) &&
        /^[a-zA-Z][a-zA-Z0-9]{0,62}$/.test(segments.at(-1)!)
      assert.equal(valid, plain && text.length <= 317)
    },
  ),
  target(
    'identifier-at-uri',
    syntax.isAtUri,
    syntax.parseAtUri,
    [
      'at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3jzfcijpj2z2a',
      'at://alice.test/a.b.c',
      'at://a.test',
    ],
    (text, valid) => {
      assert.equal(valid, isAtUriInParts(text))
      if (!valid) return
      const { authority, collection, rkey } = syntax.splitAtUri(text as syntax.AtUri)
      assert.equal(syntax.atUri(authority, collection, rkey), text)
    },
  ),
  target(
    'identifier-tid',
    syntax.isTid,
    syntax.parseTid,
    ['3jzfcijpj2z2a', '2222222222222'],
    (text, valid) => {
      if (valid && syntax.tidMicros(text) <= Number.MAX_SAFE_INTEGER)
        assert.equal(syntax.tidFromMicros(syntax.tidMicros(text), syntax.tidClockId(text)), text)
    },
  ),
  target(
    'identifier-record-key',
    syntax.isRecordKey,
    syntax.parseRecordKey,
    ['self', '3jzfcijpj2z2a', '~a:b'],
    (text, valid) => assert.equal(valid, RECORD_KEY.test(text) && text !== '.' && text !== '..'),
  ),
  target(
    'identifier-datetime',
    syntax.isDatetime,
    syntax.parseDatetime,
    ['2026-01-31T12:00:00.000Z', '2024-02-29T23:59:59+05:30', '0001-01-01T00:00:00-23:59'],
    (text, valid) => {
      // The platform's own reading, of what both have: milliseconds, and no day that its month lacks.
      if (valid && /^(?!0000)[^.]*(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/.test(text))
        assert.equal(syntax.tryParseDatetimeMs(text), Date.parse(text))
    },
  ),
  target(
    'identifier-language',
    syntax.isLanguage,
    syntax.parseLanguage,
    ['ja', 'zh-Hant', 'de-CH-1901', 'en-x-a'],
    (text, valid) => {
      if (valid) assert.ok(syntax.isWellFormedLanguage(text))
    },
  ),
  target(
    'identifier-uri',
    syntax.isUri,
    syntax.parseUri,
    ['https://example.com/a', 'a.b-c:d', 'at://a.test'],
    (text, valid) => {
      const plain = /^[a-z][a-z.-]{0,80}:[^\s\p{Cc}]+$/u.test(text)
      assert.equal(valid, plain && new TextEncoder().encode(text).length <= 8192)
    },
  ),
  target(
    'identifier-cid',
    syntax.isCidString,
    syntax.parseCidString,
    ['bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq'],
    (text, valid) =>
      assert.equal(
        valid,
        /^[a-zA-Z0-9+=]{8,256}$/.test(text) && !(text.length === 46 && text.startsWith('Qm')),
      ),
  ),
]
