import assert from 'node:assert/strict'
import test from 'node:test'
import { vectorTest } from '@imago/sim/infrastructure'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { isLanguage, isWellFormedLanguage, parseLanguage, tryParseLanguage } from './language.ts'

vectorTest('language tags of the interoperability vectors', ({ lines }) => {
  for (const line of lines('atproto-interop-tests/syntax/language_syntax_valid.txt'))
    assert(isLanguage(line), line)
  for (const line of lines('atproto-interop-tests/syntax/language_syntax_invalid.txt'))
    assert(!isLanguage(line), line)
  for (const line of lines('atproto-interop-tests/syntax/language_parse_invalid.txt')) {
    assert(isWellFormedLanguage(line), line)
    assert(!isLanguage(line), line)
  }
})

test('every tag registered before the grammar is still one', () => {
  const grandfathered = `art-lojban cel-gaulish en-GB-oed i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux
    i-mingo i-navajo i-pwn i-tao i-tay i-tsu no-bok no-nyn sgn-BE-FR sgn-BE-NL sgn-CH-DE zh-guoyu zh-hakka zh-min
    zh-min-nan zh-xiang`
  for (const tag of grandfathered.split(/\s+/)) assert(isLanguage(tag), tag)
})

test('subtags come once, and in their order', () => {
  for (const tag of [
    'de-419-DE',
    'zh-Hant-Hans',
    'de-DE-Latn',
    'en--GB',
    '-en',
    'en-',
    'en-a',
    'en-x',
    'i-nothing',
    'x',
  ])
    assert(!isWellFormedLanguage(tag), tag)
  for (const tag of ['zh-cmn-Hans-CN', 'sl-rozaj-biske-1994', 'en-a-bbb-x-a-ccc', 'az-Arab-x-AZE-derbend'])
    assert(isLanguage(tag), tag)
})

test('a repeated subtag counts only as variant or as opener of an extension', () => {
  for (const tag of ['en-a-xhosa-xhosa', 'x-hello-hello', 'en-x-hello-hello', 'en-x-a-a', 'sl-xhosa-a-xhosa'])
    assert(isLanguage(tag), tag)
  for (const tag of ['sl-nedis-NEDIS', 'de-1901-1996-1901', 'en-a-bb-b-cc-A-dd']) {
    assert(isWellFormedLanguage(tag), tag)
    assert(!isLanguage(tag), tag)
  }
})

test('a primary subtag is two or three lower-case letters in new records, and was anything before', () => {
  for (const tag of ['JA', 'En-GB', 'jaja', 'deutsch', 'I-default']) {
    assert(isWellFormedLanguage(tag), tag)
    assert(!isLanguage(tag), tag)
  }
})

test('a long tag takes no longer than its length', () => {
  for (const subtag of ['-abcde', '-ab', '-1', '-x'])
    for (const start of ['aa', 'aa-a', 'x']) assert(!isLanguage(`${start}${subtag.repeat(50_000)}!`))
})

test('parsing answers the same string, or throws', () => {
  assert.equal(parseLanguage('pt-BR'), 'pt-BR')
  assert.equal(tryParseLanguage('pt_BR'), undefined)
  assert.equal(tryParseLanguage(1), undefined)
  assert.throws(() => parseLanguage('en\n'), InvalidIdentifierError)
})
