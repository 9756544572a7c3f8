import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** A BCP 47 language tag, such as `ja`, `pt-BR` or `zh-Hant`. */
export type Language = string

const LANGUAGE_TAG =
  /^(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?$/i
const PRIVATE_USE = /^x(?:-[a-z0-9]{1,8})+$/i
const LOWER_CASE_PRIMARY = /^(?:[a-z]{2,3}|i|[xX])(?![^-])/

/** Tags registered before the grammar existed that do not fit it. The other grandfathered ones do. */
const IRREGULAR: ReadonlySet<string> = new Set([
  'en-gb-oed',
  'i-ami',
  'i-bnn',
  'i-default',
  'i-enochian',
  'i-hak',
  'i-klingon',
  'i-lux',
  'i-mingo',
  'i-navajo',
  'i-pwn',
  'i-tao',
  'i-tay',
  'i-tsu',
  'sgn-be-fr',
  'sgn-be-nl',
  'sgn-ch-de',
])

/**
 * Whether a value is a language tag fit for a new record: well-formed, without a repeated variant or extension, and
 * with a primary subtag of two or three lower-case letters. That its subtags are registered is not checked.
 * @see https://atproto.com/specs/lexicon#language
 * @see https://www.rfc-editor.org/rfc/rfc5646#section-4.1
 */
export function isLanguage(value: unknown): value is Language {
  return (typeof value === 'string' && isBarePrimary(value)) || isStrict(value)
}

function isStrict(value: unknown): boolean {
  return isWellFormedLanguage(value) && LOWER_CASE_PRIMARY.test(value) && !repeatsSubtag(value)
}

/**
 * Whether a value fits the grammar of language tags, in any letter case: what records written before
 * {@link isLanguage} became strict may hold (`JA`, `jaja`, `de-DE-1901-1901`).
 * @see https://www.rfc-editor.org/rfc/rfc5646#section-2.1
 */
export function isWellFormedLanguage(value: unknown): value is Language {
  if (typeof value !== 'string') return false
  return LANGUAGE_TAG.test(value) || PRIVATE_USE.test(value) || IRREGULAR.has(value.toLowerCase())
}

/** The language tag, when `value` is one; otherwise `undefined`. */
export function tryParseLanguage(value: unknown): Language | undefined {
  return isLanguage(value) ? value : undefined
}

/**
 * The same string, now known to be a language tag.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseLanguage(value: string): Language {
  if (!isLanguage(value))
    throw new InvalidIdentifierError('language tag', value, 'BCP 47, as in "ja", "pt-BR" or "zh-Hant"')
  return value
}

/** Nearly every tag: two or three lower-case letters, and no more. */
function isBarePrimary(tag: string): boolean {
  return (
    (tag.length === 2 || tag.length === 3) &&
    isLowerCase(tag.charCodeAt(0)) &&
    isLowerCase(tag.charCodeAt(1)) &&
    (tag.length === 2 || isLowerCase(tag.charCodeAt(2)))
  )
}

const isLowerCase = (unit: number) => unit >= 0x61 && unit <= 0x7a

/** Whether a variant or the letter that opens an extension occurs twice. Takes a well-formed tag. */
function repeatsSubtag(tag: string): boolean {
  const seen = new Set<string>()
  let inExtension = false
  for (const [index, subtag] of tag.toLowerCase().split('-').entries()) {
    if (subtag === 'x') return false // private use: whatever follows means what its users want
    if (index === 0) continue
    const opensExtension = subtag.length === 1
    inExtension ||= opensExtension
    if (!opensExtension && (inExtension || !isVariant(subtag))) continue
    if (seen.has(subtag)) return true
    seen.add(subtag)
  }
  return false
}

function isVariant(subtag: string): boolean {
  return subtag.length >= 5 || (subtag.length === 4 && subtag < 'a')
}
