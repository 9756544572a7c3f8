import { InvalidIdentifierError } from './invalid-identifier-error.ts'
import { uncounted } from './lib/pattern.ts'

/** A namespaced identifier of a schema, such as `app.bsky.feed.post`: a reversed domain name, then a name. */
export type Nsid = `${string}.${string}.${string}`

const MAX_LENGTH = 317
/** Without its length, which {@link isNsid} bounds. */
export const NSID =
  /^[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+\.[a-zA-Z][a-zA-Z0-9]{0,62}$/

/** `a.`, then a label of 64 characters, `.b`: the shortest one of which a label is too long has 68. */
const SHORT_LENGTH = 67
const SHORT = uncounted(NSID)

/**
 * Whether a value is a syntactically valid NSID, without a fragment. Says nothing about a schema being published there.
 * @see https://atproto.com/specs/nsid#nsid-syntax
 */
export function isNsid(value: unknown): value is Nsid {
  if (typeof value !== 'string') return false
  return value.length <= SHORT_LENGTH ? SHORT.test(value) : value.length <= MAX_LENGTH && NSID.test(value)
}

/** The NSID, when `value` is one; otherwise `undefined`. */
export function tryParseNsid(value: unknown): Nsid | undefined {
  return isNsid(value) ? value : undefined
}

/**
 * The same string, now known to be an NSID.
 * @throws {InvalidIdentifierError} when it is not one.
 */
export function parseNsid(value: string): Nsid {
  if (!isNsid(value))
    throw new InvalidIdentifierError(
      'NSID',
      value,
      'a reversed domain name and a name, as com.example.fooBar',
    )
  return value
}

/** The domain name that has authority over an NSID, lower-case: `feed.bsky.app` for `app.bsky.feed.post`. */
export function nsidAuthority(nsid: Nsid): string {
  return nsid.slice(0, nsid.lastIndexOf('.')).toLowerCase().split('.').reverse().join('.')
}

/** The last segment of an NSID, in its own letter case: `post` for `app.bsky.feed.post`. */
export function nsidName(nsid: Nsid): string {
  return nsid.slice(nsid.lastIndexOf('.') + 1)
}
