import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** A CID in text form, of any multibase, codec and hash. */
export type CidString = string

const MIN_LENGTH = 8
const MAX_LENGTH = 256
// The search for one character that does not belong looks at many at a time: half the time of matching all that do.
const FOREIGN = /[^a-zA-Z0-9+=]/
const CID_V0_LENGTH = 46

/**
 * Whether a value has the outer form of a CID, as the lexicon string format `cid` asks. It is a sieve, not a parser:
 * links in the data model are held to the far narrower CID of `@imago/data`.
 * @see https://atproto.com/specs/lexicon#cid-link
 */
export function isCidString(value: unknown): value is CidString {
  return (
    typeof value === 'string' &&
    value.length >= MIN_LENGTH &&
    value.length <= MAX_LENGTH &&
    !FOREIGN.test(value) &&
    !isCidV0(value)
  )
}

/** The CID's text, when `value` is one; otherwise `undefined`. */
export function tryParseCidString(value: unknown): CidString | undefined {
  return isCidString(value) ? value : undefined
}

/**
 * The same string, now known to have the form of a CID.
 * @throws {InvalidIdentifierError} when it has not.
 */
export function parseCidString(value: string): CidString {
  if (!isCidString(value))
    throw new InvalidIdentifierError('CID', value, '8 to 256 letters, digits, + or =, and not a CIDv0 (Qm…)')
  return value
}

/** Version 0 has no multibase prefix: always a base58 SHA-256 multihash, which begins `Qm`. */
function isCidV0(text: string): boolean {
  return text.length === CID_V0_LENGTH && text.startsWith('Qm')
}
