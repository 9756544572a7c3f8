import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** A URI of any scheme: `https://example.com`, `at://…`, `did:key:…`, `content-type:text/plain`. */
export type Uri = `${string}:${string}`

const MAX_BYTES = 8192
const MAX_BYTES_PER_UNIT = 3
const MAX_SCHEME_LENGTH = 81
// Spaces of all kinds, line ends and controls: everything invisible that people paste. The search for one of them looks
// at many characters at a time.
const INVISIBLE = /[\s\x00-\x1f\x7f-\x9f]/

const DASH = 0x2d
const DOT = 0x2e
const COLON = 0x3a

/**
 * Whether a value looks like a URI: a lower-case scheme, a colon, then visible characters, at most 8,192 bytes of
 * UTF-8. What follows the scheme is not looked into, and letters beyond ASCII are let through, because links that
 * people paste contain them.
 * @see https://atproto.com/specs/lexicon#uri
 */
export function isUri(value: unknown): value is Uri {
  return typeof value === 'string' && value.length <= MAX_BYTES && followsScheme(value) && fits(value)
}

/** A scheme, a colon, then something, all of it visible. */
function followsScheme(value: string): boolean {
  const end = schemeEnd(value)
  return end > 0 && end + 1 < value.length && !INVISIBLE.test(value)
}

/** Where the colon after the scheme is: lower-case letters, dots and hyphens, the first one a letter. 0 without one. */
function schemeEnd(value: string): number {
  for (let at = 0; at <= MAX_SCHEME_LENGTH; at++) {
    const unit = value.charCodeAt(at)
    if (unit === COLON) return at
    const isLetter = unit >= 0x61 && unit <= 0x7a
    if (!isLetter && (at === 0 || (unit !== DOT && unit !== DASH))) return 0
  }
  return 0
}

/** The URI, when `value` is one; otherwise `undefined`. */
export function tryParseUri(value: unknown): Uri | undefined {
  return isUri(value) ? value : undefined
}

/**
 * The same string, now known to be a URI.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseUri(value: string): Uri {
  if (!isUri(value))
    throw new InvalidIdentifierError('URI', value, '<scheme>:<no white space>, at most 8192 bytes')
  return value
}

const utf8 = new TextEncoder()

function fits(value: string): boolean {
  return value.length * MAX_BYTES_PER_UNIT <= MAX_BYTES || utf8.encode(value).length <= MAX_BYTES
}
