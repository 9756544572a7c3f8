import type { DidIdentity, Directory } from '@imago/identity'
import { IdentityError } from '@imago/identity'
import { type Did, isDid } from '@imago/syntax'
import { decodeFrame } from '@imago/xrpc/frames'
import { type SubscribeOptions, subscribe } from '@imago/xrpc/subscribe'
import {
  type AccountEvent,
  type CommitEvent,
  type IdentityEvent,
  type InfoEvent,
  parseEvent,
  type StreamEvent,
  type SyncEvent,
} from './events.ts'
import { createRateLimit } from './rate-limit.ts'
import { readAhead } from './read-ahead.ts'
import { SyncError } from './sync-error.ts'
import { type CommitVerdict, type EventContext, type KnownAccount, verifyCommit } from './verify-commit.ts'
import { type SyncVerdict, verifySync } from './verify-sync.ts'

/** One message of a firehose, and what is to be made of it. */
export type FirehoseEvent =
  | {
      readonly type: 'commit'
      readonly seq: number
      readonly event: CommitEvent
      readonly verdict: CommitVerdict
    }
  | { readonly type: 'sync'; readonly seq: number; readonly event: SyncEvent; readonly verdict: SyncVerdict }
  /** What the directory knew of the account is forgotten already. */
  | { readonly type: 'identity'; readonly seq: number; readonly event: IdentityEvent }
  | { readonly type: 'account'; readonly seq: number; readonly event: AccountEvent }
  | { readonly type: 'info'; readonly event: InfoEvent }
  /** Not acted on: malformed, out of order, of an unknown type, or from a host that has no say over the account. */
  | { readonly type: 'ignored'; readonly seq?: number; readonly reason: string }

export interface VerifyStreamOptions {
  /** Where keys and hosts of accounts are looked up. */
  readonly directory: Pick<Directory, 'resolveDid' | 'invalidate'>
  /** What is known of an account at the moment at which its event is judged. */
  readonly account: (did: Did) => KnownAccount | undefined | Promise<KnownAccount | undefined>
  /** Host name of the PDS that sends the stream. Left out behind a relay, which speaks for many. */
  readonly host?: string
  /** Milliseconds since the Unix epoch. Default: `Date.now`. */
  readonly now?: () => number
  /** Whether check 13 is made. Default: true. */
  readonly decodeRecords?: boolean
  /** Events read ahead, whose identities are resolved at the same time. Default: 64. */
  readonly lookAhead?: number
  /** One account's identity is asked for anew after a bad signature no more often than this. Default: 60,000. */
  readonly refreshIntervalMs?: number
}

/**
 * Judges a stream of frames, in its order. Identities are resolved ahead, several at a time; an event is judged when the
 * one before it has been taken, against what the caller knows by then. So a caller who, for each event, first does what it
 * says, then notes its seq as the cursor, misses nothing.
 *
 * A wrong host (check 2) or signature (check 9) may come of an account that moved or changed its key: then the identity is
 * asked for anew, once, and the event judged again.
 * @throws {FrameError} when a frame is not a frame: whoever sends that is not to be listened to.
 */
export async function* verifyStream(
  frames: AsyncIterable<Uint8Array>,
  options: VerifyStreamOptions,
): AsyncGenerator<FirehoseEvent, void, undefined> {
  const { directory, lookAhead = DEFAULT_LOOK_AHEAD } = options
  const judge = createJudge(options)
  let lastSeq = 0
  for await (const { parsed, identity } of readAhead(frames, lookAhead, (frame) => read(frame, directory))) {
    if (typeof parsed === 'string') {
      yield { type: 'ignored', reason: parsed }
      continue
    }
    if (parsed.type === '#info') {
      yield { type: 'info', event: parsed.event }
      continue
    }
    const { seq } = parsed.event
    if (seq <= lastSeq) {
      yield { type: 'ignored', seq, reason: `seq ${seq} does not come after ${lastSeq}` }
      continue
    }
    lastSeq = seq
    yield await judge(parsed, await identity)
  }
}

/**
 * Follows a host's `com.atproto.sync.subscribeRepos`, connecting anew from the cursor as often as it takes.
 * @param service such as `https://relay.example`
 * @throws {FrameError}; {@link XrpcError} for an error frame, such as `FutureCursor`.
 * @see https://atproto.com/specs/sync#firehose
 */
export async function* followFirehose(
  service: string | URL,
  options: VerifyStreamOptions & { readonly stream?: SubscribeOptions },
): AsyncGenerator<FirehoseEvent, void, undefined> {
  const { stream = {} } = options
  // The connection has to end with the caller's loop, also while it waits for a frame.
  const stop = new AbortController()
  const signal = stream.signal ? AbortSignal.any([stream.signal, stop.signal]) : stop.signal
  const url = new URL('/xrpc/com.atproto.sync.subscribeRepos', service)
  try {
    yield* verifyStream(subscribe(url, { ...stream, signal }), options)
  } finally {
    stop.abort()
  }
}

/** A message, or why there is none. */
interface Read {
  readonly parsed: StreamEvent | string
  /** `undefined` for an account that cannot be resolved. What rejects it is told when its turn comes. */
  readonly identity: Promise<DidIdentity | undefined>
}

const DEFAULT_LOOK_AHEAD = 64
const NOBODY: Promise<undefined> = Promise.resolve(undefined)

function read(frame: Uint8Array, directory: VerifyStreamOptions['directory']): Read {
  const decoded = decodeFrame(frame)
  if (decoded.kind === 'error')
    return { parsed: `error frame ${decoded.error}: ${decoded.message ?? ''}`, identity: NOBODY }
  if (decoded.kind === 'unknown') return { parsed: `a frame of op ${decoded.op}`, identity: NOBODY }
  let parsed: StreamEvent | undefined
  try {
    parsed = parseEvent(decoded.type, decoded.body)
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    return { parsed: error.message, identity: NOBODY }
  }
  if (parsed === undefined)
    return { parsed: `a message of type ${decoded.type.slice(0, 80)}`, identity: NOBODY }
  if (parsed.type === '#identity') directory.invalidate(parsed.event.did)
  const identity = takesIdentity(parsed) ? resolve(directory, didOf(parsed)) : NOBODY
  identity.catch(() => {})
  return { parsed, identity }
}

const takesIdentity = ({ type }: StreamEvent) => type !== '#info' && type !== '#identity'

function didOf(parsed: StreamEvent): string {
  if (parsed.type === '#commit') return parsed.event.repo
  return parsed.type === '#info' ? '' : parsed.event.did
}

async function resolve(
  directory: VerifyStreamOptions['directory'],
  did: string,
  refresh = false,
): Promise<DidIdentity | undefined> {
  if (!isDid(did)) return undefined
  try {
    return await directory.resolveDid(did, { refresh })
  } catch (error) {
    if (error instanceof IdentityError) return undefined
    throw error
  }
}

type Judged = Exclude<StreamEvent, { type: '#info' }>

function createJudge(options: VerifyStreamOptions) {
  const { directory, decodeRecords = true, now = Date.now } = options
  const host = options.host?.toLowerCase()
  const mayRefresh = createRateLimit(options.refreshIntervalMs ?? 60_000, now)
  const hostOf = (identity: DidIdentity | undefined) =>
    identity?.pds === undefined ? undefined : new URL(identity.pds).host
  const contextOf = (identity: DidIdentity | undefined, account: KnownAccount | undefined): EventContext => {
    const pdsHost = hostOf(identity)
    return {
      account,
      signingKey: identity?.signingKey,
      nowMs: now(),
      ...(pdsHost !== undefined && { pdsHost }),
      ...(host !== undefined && { senderHost: host }),
    }
  }
  /**
   * What the directory says now; asked for anew where that may be done. Where it may not, it was not long ago, perhaps for
   * an event that came right before: after this one's identity was resolved.
   */
  const resolveAgain = (did: string) => resolve(directory, did, mayRefresh(did))
  /** Judges, and once more with what the directory says now where that may change the verdict. */
  const withRefresh = async <V extends CommitVerdict | SyncVerdict>(
    did: string,
    identity: DidIdentity | undefined,
    verdictOf: (context: EventContext) => V,
  ): Promise<V> => {
    const account = isDid(did) ? await options.account(did) : undefined
    const verdict = verdictOf(contextOf(identity, account))
    const mayBeOutdated = !verdict.accepted && (verdict.check === 2 || verdict.check === 9)
    if (!mayBeOutdated) return verdict
    const latest = await resolveAgain(did)
    return latest === identity ? verdict : verdictOf(contextOf(latest, account))
  }
  return async (parsed: Judged, identity: DidIdentity | undefined): Promise<FirehoseEvent> => {
    const { seq } = parsed.event
    switch (parsed.type) {
      case '#commit': {
        const { event } = parsed
        const verdict = await withRefresh(event.repo, identity, (context) =>
          verifyCommit(event, { ...context, decodeRecords }),
        )
        return { type: 'commit', seq, event, verdict }
      }
      case '#sync': {
        const { event } = parsed
        const verdict = await withRefresh(event.did, identity, (context) => verifySync(event, context))
        return { type: 'sync', seq, event, verdict }
      }
      case '#identity':
        return { type: 'identity', seq, event: parsed.event }
      case '#account': {
        const { event } = parsed
        const { did } = event
        let pdsHost = hostOf(identity)
        const isElsewhere = () => host !== undefined && pdsHost !== undefined && pdsHost !== host
        if (isElsewhere()) pdsHost = hostOf(await resolveAgain(did))
        if (!isElsewhere()) return { type: 'account', seq, event }
        return { type: 'ignored', seq, reason: `${host} speaks of ${did}, which is at ${pdsHost}` }
      }
    }
  }
}
