import { isDid, isNsid } from '@imago/syntax'
import type { Filter } from './filter.ts'

const MAX_COLLECTIONS = 100
const MAX_DIDS = 10_000
/** What the field is wide on the wire; more would not limit anything. */
const MAX_MESSAGE_SIZE_BYTES = 0xffff_ffff

/** A subscriber asked for something that cannot be had. The message names the value and what is allowed. */
export class SubscriberOptionsError extends Error {
  override readonly name = 'SubscriberOptionsError'
}

/** What the address of `/subscribe` asks for. */
export interface SubscriberOptions {
  readonly filter: Filter
  /** µs since the Unix epoch: the time of the last event seen. */
  readonly cursor: number | undefined
  /** Send nothing before the first valid `options_update`. */
  readonly requireHello: boolean
}

/** @throws {SubscriberOptionsError} */
export function readQuery(query: URLSearchParams): SubscriberOptions {
  return {
    filter: createFilter(
      query.getAll('wantedCollections'),
      query.getAll('wantedDids'),
      sizeIn(query.get('maxMessageSizeBytes')),
    ),
    cursor: readCursor(query.get('cursor')),
    requireHello: query.get('requireHello') === 'true',
  }
}

/**
 * What a message from a subscriber asks for: a filter that takes the place of the one before, whole. `undefined` for a
 * type that is not known, which is passed over.
 * @throws {SubscriberOptionsError} when an `options_update` is not valid.
 */
export function readOptionsUpdate(message: unknown): Filter | undefined {
  const { type, payload } = members(message, 'a message')
  if (type !== 'options_update') return undefined
  const { wantedCollections, wantedDids, maxMessageSizeBytes } = members(payload, 'payload')
  return createFilter(
    strings(wantedCollections, 'wantedCollections'),
    strings(wantedDids, 'wantedDids'),
    sizeOf(maxMessageSizeBytes),
  )
}

function createFilter(
  wantedCollections: readonly string[],
  wantedDids: readonly string[],
  maxMessageSizeBytes: number,
): Filter {
  const wanted = new Set(wantedCollections)
  refuseMore('wantedCollections', wanted.size, MAX_COLLECTIONS)
  const dids = new Set(wantedDids)
  refuseMore('wantedDids', dids.size, MAX_DIDS)
  for (const did of dids)
    if (!isDid(did)) throw new SubscriberOptionsError(`wantedDids: ${quote(did)} is not a DID`)

  const collections = new Set<string>()
  const prefixes: string[] = []
  for (const pattern of wanted) {
    if (pattern.endsWith('.*')) prefixes.push(pattern.slice(0, -1))
    else if (isNsid(pattern)) collections.add(pattern)
    else
      throw new SubscriberOptionsError(
        `wantedCollections: ${quote(pattern)} is neither an NSID, as app.bsky.feed.post, nor a prefix, as app.bsky.feed.*`,
      )
  }
  return { collections, prefixes, dids, maxMessageSizeBytes }
}

function refuseMore(name: string, count: number, max: number): void {
  if (count > max)
    throw new SubscriberOptionsError(`${name}: ${count} are too many, at most ${max} are allowed`)
}

function readCursor(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^-?\d+$/.test(text))
    throw new SubscriberOptionsError(`cursor: ${quote(text)} is not a whole number of µs since 1970`)
  return Math.max(0, Number(text))
}

/** As other servers have it, a limit that cannot be read is none. */
function sizeIn(text: string | null): number {
  return text !== null && /^\d+$/.test(text) ? sizeOf(Number(text)) : 0
}

function sizeOf(value: unknown): number {
  if (value === undefined || value === null) return 0
  if (!Number.isInteger(value))
    throw new SubscriberOptionsError('maxMessageSizeBytes: expected a whole number of bytes')
  const size = value as number
  return size < 0 || size > MAX_MESSAGE_SIZE_BYTES ? 0 : size
}

function members(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new SubscriberOptionsError(`${name}: expected a JSON object`)
}

function strings(value: unknown, name: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new SubscriberOptionsError(`${name}: expected an array of strings`)
}

const quote = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
