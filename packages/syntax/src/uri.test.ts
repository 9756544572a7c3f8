import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { isUri, parseUri, tryParseUri } from './uri.ts'

vectorTest('URIs of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/uri_syntax_valid.txt')) assert(isUri(line), line)
  for (const line of lines('atproto-interop-tests/syntax/uri_syntax_invalid.txt')) assert(!isUri(line), line)
})

test('a URI has at most 8192 bytes, of which a letter beyond ASCII takes several', () => {
  const longest = 'https://example.com/'.padEnd(8192, 'x')
  assert(isUri(longest))
  assert(!isUri(longest + 'x'))
  assert(isUri('a:' + '\u20ac'.repeat(2730)))
  assert(!isUri('a:' + '\u20ac'.repeat(2731)))
})

test('a scheme is 1 to 81 lower-case letters, dots and hyphens, the first one a letter', () => {
  for (const scheme of ['a', 'web-app.x', 'a'.repeat(81)]) assert(isUri(`${scheme}:x`), scheme)
  for (const scheme of ['', '-a', '.a', 'HTTP', 'a1', 'a_b', 'a'.repeat(82)])
    assert(!isUri(`${scheme}:x`), scheme)
})

test('links in any script are URIs; what cannot be seen is not', () => {
  assert(isUri('https://ja.wikipedia.org/wiki/\u65e5\u672c\u8a9e'))
  for (const invisible of [
    ' ',
    '\t',
    '\n',
    '\r',
    '\0',
    '\x7f',
    '\x85',
    '\u00a0',
    '\u2028',
    '\u3000',
    '\ufeff',
  ])
    assert(!isUri(`https://example.com/${invisible}x`), JSON.stringify(invisible))
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseUri('dns:example.com'), 'dns:example.com')
  assert.equal(tryParseUri('example.com'), undefined)
  assert.equal(tryParseUri(new URL('https://example.com')), undefined)
  assert.throws(() => parseUri('example.com'), InvalidIdentifierError)
})
