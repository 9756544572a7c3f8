import { type AtIdentifier, isAtIdentifier } from './at-identifier.ts'
import { DID } from './did.ts'
import { HANDLE, MAX_HANDLE_LENGTH } from './handle.ts'
import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { uncounted, whole } from './lib/pattern.ts'
import { isNsid, NSID, type Nsid } from './nsid.ts'
import { isRecordKey, RECORD_KEY, type RecordKey } from './record-key.ts'

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
/** Up to here, no part can be longer than it may be: of all parts, a handle has to be the shortest. */
const NO_PART_TOO_LONG = SCHEME.length + MAX_HANDLE_LENGTH
// One pattern for the whole: taking the string apart first, and matching each part, took more than twice the time.
const PATH = whole`(?:/${NSID}(?:/${RECORD_KEY})?)?`
const AT_URI = whole`${SCHEME}(?:${DID}|${HANDLE})${PATH}`
/** Nearly all there are: short, and beginning with a DID. */
const USUAL = uncounted(whole`${SCHEME}${DID}${PATH}`)
/** `at://did:a:b/`, a label of 64 characters, `.b.c`: the shortest one of which a counted part is too long has 81. */
const USUAL_LENGTH = 80

/**
 * Whether a value is an AT-URI as records may hold it: an authority, then at most a collection and a record key, with
 * no trailing slash, query or fragment.
 * @see https://atproto.com/specs/at-uri-scheme#restricted-at-uri-syntax
 */
export function isAtUri(value: unknown): value is AtUri {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return false
  if (!(value.length <= USUAL_LENGTH && USUAL.test(value)) && !AT_URI.test(value)) return false
  return (value.length <= NO_PART_TOO_LONG || partsFit(value as AtUri)) && !endsInDots(value)
}

/** What the pattern leaves open: the length of each part. */
function partsFit(uri: AtUri): boolean {
  const { authority, collection, rkey } = splitAtUri(uri)
  return (
    isAtIdentifier(authority) &&
    (collection === undefined || isNsid(collection)) &&
    (rkey === undefined || isRecordKey(rkey))
  )
}

/** Whether the record key is `.` or `..`, which no other part can end in. */
function endsInDots(uri: string): boolean {
  return uri.endsWith('/.') || uri.endsWith('/..')
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
