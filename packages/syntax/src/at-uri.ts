import { type AtIdentifier, isAtIdentifier } from './at-identifier.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { isNsid, type Nsid } from './nsid.ts'
import { isRecordKey, type RecordKey } from './record-key.ts'

/** The address of an account, a collection or a record: `at://did:plc:…/app.bsky.feed.post/3jzfcijpj2z2a`. */
export type AtUri = `at://${string}`

/** What an AT-URI is made of. Never a record key without a collection. */
export interface AtUriParts {
  readonly authority: AtIdentifier
  readonly collection?: Nsid
  readonly rkey?: RecordKey
}

const SCHEME = 'at://'
const MAX_LENGTH = 8192

/**
 * Whether a value is an AT-URI as records may hold it: an authority, then at most a collection and a record key, with
 * no trailing slash, query or fragment.
 * @see https://atproto.com/specs/at-uri-scheme#restricted-at-uri-syntax
 */
export function isAtUri(value: unknown): value is AtUri {
  if (typeof value !== 'string' || value.length > MAX_LENGTH || !value.startsWith(SCHEME)) return false
  const authorityEnd = value.indexOf('/', SCHEME.length)
  if (authorityEnd < 0) return isAtIdentifier(value.slice(SCHEME.length))
  if (!isAtIdentifier(value.slice(SCHEME.length, authorityEnd))) return false
  const collectionEnd = value.indexOf('/', authorityEnd + 1)
  if (collectionEnd < 0) return isNsid(value.slice(authorityEnd + 1))
  return isNsid(value.slice(authorityEnd + 1, collectionEnd)) && isRecordKey(value.slice(collectionEnd + 1))
}

/** The AT-URI, when `value` is one; otherwise `undefined`. */
export function tryParseAtUri(value: unknown): AtUri | undefined {
  return isAtUri(value) ? value : undefined
}

/**
 * The same string, now known to be an AT-URI.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseAtUri(value: string): AtUri {
  if (!isAtUri(value))
    throw new InvalidIdentifierError(
      'AT-URI',
      value,
      'at://<did or handle>[/<collection>[/<rkey>]], at most 8192 characters',
    )
  return value
}

/** The AT-URI of an account, a collection or a record. The parts are taken as parsed: they are joined, not checked again. */
export function atUri(authority: AtIdentifier, collection?: Nsid, rkey?: RecordKey): AtUri {
  if (collection === undefined) return `${SCHEME}${authority}`
  return rkey === undefined
    ? `${SCHEME}${authority}/${collection}`
    : `${SCHEME}${authority}/${collection}/${rkey}`
}

/** The parts of an AT-URI; those that it lacks are absent. Only for a string that {@link isAtUri} has let through. */
export function splitAtUri(uri: AtUri): AtUriParts {
  const [authority, collection, rkey] = uri.slice(SCHEME.length).split('/') as [
    AtIdentifier,
    Nsid?,
    RecordKey?,
  ]
  if (collection === undefined) return { authority }
  return rkey === undefined ? { authority, collection } : { authority, collection, rkey }
}
