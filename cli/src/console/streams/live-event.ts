import { parseEvent } from '@imago/sync'
import { decodeFrame } from '@imago/xrpc/frames'

/** Which stream the live view shows. */
export type Source = 'relay' | 'jetstream'

export const SOURCES: readonly Source[] = ['relay', 'jetstream']
export const KINDS = ['create', 'update', 'delete', 'commit', 'sync', 'identity', 'account'] as const
/** What happened. `commit` is one that changed no record. */
export type Kind = (typeof KINDS)[number]

/** One row of the live view: one operation of a commit, or one event of another kind. */
export interface LiveEvent {
  readonly source: Source
  /** `seq`, or Jetstream's `time_us`. */
  readonly position: number
  /** Which operation of its commit; 0 for the rest. */
  readonly index: number
  /** Of the event, as its producer says. */
  readonly time: string
  readonly kind: Kind
  readonly did: string
  /** `collection/rkey`, for operations. */
  readonly path?: string
  /** What else fits in a row: the new handle, or how the account stands. */
  readonly note?: string
}

/** The place of a frame of subscribeRepos in its stream. @throws {FrameError} */
export function frameSeq(payload: Uint8Array): number | undefined {
  const frame = decodeFrame(payload)
  const seq = frame.kind === 'message' ? frame.body['seq'] : undefined
  return typeof seq === 'number' ? seq : undefined
}

/** The rows of one frame of subscribeRepos. @throws {FrameError | SyncError} for what is none. */
export function eventsOfFrame(payload: Uint8Array): LiveEvent[] {
  const frame = decodeFrame(payload)
  const parsed = frame.kind === 'message' ? parseEvent(frame.type, frame.body) : undefined
  if (parsed === undefined || parsed.type === '#info') return []
  const { event } = parsed
  const base = { source: 'relay', position: event.seq, index: 0, time: event.time } as const
  switch (parsed.type) {
    case '#commit': {
      const { repo: did, ops } = parsed.event
      if (ops.length === 0) return [{ ...base, kind: 'commit', did }]
      return ops.map(({ action, path }, index) => ({ ...base, index, kind: kindOf(action), did, path }))
    }
    case '#sync':
      return [{ ...base, kind: 'sync', did: parsed.event.did }]
    case '#identity': {
      const { did, handle } = parsed.event
      return [{ ...base, kind: 'identity', did, ...(handle && { note: handle }) }]
    }
    case '#account': {
      const { did, active, status } = parsed.event
      return [{ ...base, kind: 'account', did, note: active ? 'active' : (status ?? 'inactive') }]
    }
  }
}

const decoder = new TextDecoder()

/**
 * A message of Jetstream, as far as we read it.
 * @see https://github.com/bluesky-social/jetstream
 */
export interface JetstreamMessage {
  readonly did: string
  readonly time_us: number
  readonly kind: string
  readonly commit?: {
    readonly rev: string
    readonly operation: string
    readonly collection: string
    readonly rkey: string
    readonly cid?: string
    readonly record?: unknown
  }
  readonly identity?: { readonly handle?: string }
  readonly account?: { readonly active: boolean; readonly status?: string }
}

/** A message of Jetstream, parsed. @throws {SyntaxError | TypeError} for what is none. */
export function readJetstream(payload: Uint8Array): JetstreamMessage {
  const message = JSON.parse(decoder.decode(payload)) as Partial<JetstreamMessage> | null
  if (typeof message?.did !== 'string' || !Number.isSafeInteger(message.time_us))
    throw new TypeError('a Jetstream message has a did and a time_us')
  return message as JetstreamMessage
}

/** The row of one message of Jetstream. @throws {SyntaxError | TypeError} for what is none. */
export function eventsOfJetstream(payload: Uint8Array): LiveEvent[] {
  const { did, time_us: position, kind, commit, identity, account } = readJetstream(payload)
  const time = new Date(position / 1000).toISOString()
  const base = { source: 'jetstream', position, index: 0, time, did } as const
  if (kind === 'commit' && commit)
    return [{ ...base, kind: kindOf(commit.operation), path: `${commit.collection}/${commit.rkey}` }]
  if (kind === 'identity')
    return [{ ...base, kind, ...(identity?.handle !== undefined && { note: identity.handle }) }]
  if (kind === 'account' && account)
    return [{ ...base, kind, note: account.active ? 'active' : (account.status ?? 'inactive') }]
  return []
}

function kindOf(action: string): Kind {
  return action === 'create' || action === 'update' || action === 'delete' ? action : 'commit'
}
