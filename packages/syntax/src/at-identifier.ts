import { type Did, isDid } from './did.ts'
import { type Handle, isHandle } from './handle.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** What names an account where either spelling will do: a DID or a handle. */
export type AtIdentifier = Did | Handle

/**
 * Whether a value is a DID or a handle. No string is both: a colon never occurs in a handle.
 * @see https://atproto.com/specs/lexicon#at-identifier
 */
export function isAtIdentifier(value: unknown): value is AtIdentifier {
  return isDid(value) || isHandle(value)
}

/** The DID or handle, when `value` is one; otherwise `undefined`. */
export function tryParseAtIdentifier(value: unknown): AtIdentifier | undefined {
  return isAtIdentifier(value) ? value : undefined
}

/**
 * The same string, now known to be a DID or a handle.
 * @throws {InvalidIdentifierError} when it is neither.
 */
export function parseAtIdentifier(value: string): AtIdentifier {
  if (!isAtIdentifier(value))
    throw new InvalidIdentifierError('at-identifier', value, 'a DID (did:…) or a handle (alice.example.com)')
  return value
}
