import { InvalidIdentifierError } from './invalid-identifier-error.ts'

/** A decentralized identifier, such as `did:plc:ewvi7nxzyoun6zhxrhs64oiz`. Case-sensitive: compare as it is. */
export type Did<Method extends string = string> = `did:${Method}:${string}`

const MAX_LENGTH = 2048
/** Without its length, which {@link isDid} bounds. */
export const DID = /^did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]$/

/**
 * Whether a value is a syntactically valid DID. Says nothing about its method being one that atproto blesses, nor
 * about its existence.
 * @see https://atproto.com/specs/did#at-protocol-did-identifier-syntax
 */
export function isDid(value: unknown): value is Did {
  return typeof value === 'string' && value.length <= MAX_LENGTH && DID.test(value)
}

/** The DID, when `value` is one; otherwise `undefined`. */
export function tryParseDid(value: unknown): Did | undefined {
  return isDid(value) ? value : undefined
}

/**
 * The same string, now known to be a DID.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseDid(value: string): Did {
  if (!isDid(value))
    throw new InvalidIdentifierError('DID', value, 'did:<method>:<identifier>, at most 2048 characters')
  return value
}
