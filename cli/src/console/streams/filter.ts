import { isDid, isHandle, isNsid, normalizeHandle } from '@imago/syntax'
import { KINDS, type Kind, type LiveEvent, SOURCES, type Source } from './live-event.ts'

/** What a person wants to see of a stream. Empty text: everything. */
export interface LiveQuery {
  readonly source: Source
  /** A collection, or all below a prefix: `app.bsky.feed.*`. */
  readonly collection: string
  /** Handle or DID. */
  readonly account: string
  readonly kind: Kind | ''
}

/** Reads a query from a page's address. What is not a choice at all is taken for none. */
export function readLiveQuery(params: URLSearchParams): LiveQuery {
  const text = (name: string) => params.get(name)?.trim() ?? ''
  return {
    source: SOURCES.find((source) => source === text('source')) ?? 'relay',
    collection: text('collection'),
    account: text('account').replace(/^@/, ''),
    kind: KINDS.find((kind) => kind === text('kind')) ?? '',
  }
}

/** The address of the live view for a query; `changes` replace some of it. */
export function liveSearch(query: LiveQuery, changes: Partial<LiveQuery> = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, ...changes }))
    if (value !== '' && !(name === 'source' && value === 'relay')) params.set(name, value)
  return params.size === 0 ? '' : `?${params}`
}

export type Filter = (event: LiveEvent) => boolean

/** A query that cannot be carried out. The message says what was given, and what is expected. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
}

/**
 * The filter of a query.
 * @param didOfHandle the DID of a handle, or `undefined`.
 * @throws {FilterError} when the collection or the account is none.
 */
export async function createFilter(
  { collection, account, kind }: LiveQuery,
  didOfHandle: (handle: string) => Promise<string | undefined>,
): Promise<Filter> {
  const isWanted = collectionFilter(collection)
  const did = await accountFilter(account, didOfHandle)
  return (event) =>
    (kind === '' || event.kind === kind) && (did === undefined || event.did === did) && isWanted(event.path)
}

function collectionFilter(collection: string): (path: string | undefined) => boolean {
  if (collection === '') return () => true
  if (collection.endsWith('.*')) {
    const prefix = collection.slice(0, -1)
    if (!/^([a-z0-9-]+\.)+$/i.test(prefix))
      throw new FilterError(`‘${collection}’ is no collection prefix: expected one such as app.bsky.feed.*`)
    return (path) => path?.startsWith(prefix) === true
  }
  if (!isNsid(collection))
    throw new FilterError(
      `‘${collection}’ is no collection: expected a name such as app.bsky.feed.post, or app.bsky.feed.*`,
    )
  return (path) => path?.startsWith(`${collection}/`) === true
}

async function accountFilter(
  account: string,
  didOfHandle: (handle: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (account === '') return undefined
  if (isDid(account)) return account
  if (!isHandle(account))
    throw new FilterError(`‘${account}’ is no account: expected a handle such as alice.test, or a DID`)
  const did = await didOfHandle(normalizeHandle(account))
  if (did === undefined) throw new FilterError(`no account has the handle ‘${account}’`)
  return did
}
