import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** A URI of any scheme: `https://example.com`, `at://…`, `did:key:…`, `content-type:text/plain`. */
export type Uri = `${string}:${string}`

const MAX_BYTES = 8192
const MAX_BYTES_PER_UNIT = 3
// \s and \p{Cc} together are everything invisible that people paste: spaces of all kinds, line ends, controls.
const URI = /^[a-z][a-z.-]{0,80}:[^\s\p{Cc}]+$/u

/**
 * Whether a value looks like a URI: a lower-case scheme, a colon, then visible characters, at most 8,192 bytes of
 * UTF-8. What follows the scheme is not looked into, and letters beyond ASCII are let through, because links that
 * people paste contain them.
 * @see https://atproto.com/specs/lexicon#uri
 */
export function isUri(value: unknown): value is Uri {
  return typeof value === 'string' && value.length <= MAX_BYTES && URI.test(value) && fits(value)
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
