import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { uncounted } from './lib/pattern.ts'

/** A domain name that stands for an account, such as `alice.example.com`. Case-insensitive: {@link normalizeHandle} before comparing or storing. */
export type Handle = `${string}.${string}`

/** What is shown in place of a handle that does not resolve back to its account. It can never be registered. */
export const INVALID_HANDLE = 'handle.invalid' satisfies Handle

/**
 * Top-level domains (lower-case, no dot) whose names are valid handles to read and yet must not be registered or
 * resolved. `test` is not among them: development networks use it, and nothing else should.
 * @see https://atproto.com/specs/handle#additional-non-syntax-restrictions
 */
export const DISALLOWED_TLDS: ReadonlySet<string> = new Set([
  'alt',
  'arpa',
  'example',
  'internal',
  'invalid',
  'local',
  'localhost',
  'onion',
])

export const MAX_HANDLE_LENGTH = 253
/** Without its length, which {@link isHandle} bounds. */
export const HANDLE =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/

/** A label of 64 characters, `.b`: the shortest one of which a label is too long has 66. */
const SHORT_LENGTH = 65
const SHORT = uncounted(HANDLE)

/**
 * Whether a value is a syntactically valid handle, in any letter case. Says nothing about who may register it (see
 * {@link hasDisallowedTld}), nor about its resolving to an account.
 * @see https://atproto.com/specs/handle#handle-identifier-syntax
 */
export function isHandle(value: unknown): value is Handle {
  if (typeof value !== 'string') return false
  return value.length <= SHORT_LENGTH
    ? SHORT.test(value)
    : value.length <= MAX_HANDLE_LENGTH && HANDLE.test(value)
}

/** The handle as it was written, when `value` is one; otherwise `undefined`. */
export function tryParseHandle(value: unknown): Handle | undefined {
  return isHandle(value) ? value : undefined
}

/**
 * The same string, now known to be a handle. Letter case is kept.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseHandle(value: string): Handle {
  if (!isHandle(value))
    throw new InvalidIdentifierError(
      'handle',
      value,
      'an ASCII domain name of two or more labels, at most 253 characters',
    )
  return value
}

/** The one spelling under which a handle is compared and stored: lower-case. */
export function normalizeHandle(handle: Handle): Handle {
  return handle.toLowerCase() as Handle
}

/** Whether a handle ends in one of {@link DISALLOWED_TLDS}, and so can neither be registered nor resolved. */
export function hasDisallowedTld(handle: Handle): boolean {
  return DISALLOWED_TLDS.has(handle.slice(handle.lastIndexOf('.') + 1).toLowerCase())
}
