import type { LogEntry } from '@imago/log'
import { collectionOf, didOf } from '../entry-key.ts'

/** What a subscriber wants to see. Empty sets ask for everything. */
export interface Filter {
  /** NSIDs. */
  readonly collections: ReadonlySet<string>
  /** Starts of NSIDs, up to and including a dot. */
  readonly prefixes: readonly string[]
  readonly dids: ReadonlySet<string>
  /** Events of more bytes of JSON are left out. 0 leaves out none. */
  readonly maxMessageSizeBytes: number
}

/**
 * The filter as a function of an entry. Collections restrict commits only: identity and account events pass by DID
 * alone, because whoever follows records has to know whose they are.
 */
export function compileFilter(filter: Filter): (entry: LogEntry) => boolean {
  const { collections, prefixes, dids, maxMessageSizeBytes } = filter
  const anyCollection = collections.size === 0 && prefixes.length === 0
  const anyDid = dids.size === 0
  const maxBytes = maxMessageSizeBytes || Number.POSITIVE_INFINITY

  const wantsCollection = (key: string): boolean => {
    const collection = collectionOf(key)
    return (
      collection === undefined ||
      collections.has(collection) ||
      prefixes.some((prefix) => collection.startsWith(prefix))
    )
  }
  return ({ key, payload }) =>
    payload.length <= maxBytes && (anyCollection || wantsCollection(key)) && (anyDid || dids.has(didOf(key)))
}
