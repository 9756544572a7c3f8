import { com } from '@imago/atproto'
import { type DataMap, fromJson, isDataMap } from '@imago/data'
import type { Nsid } from '@imago/syntax'
import { decodeFrame } from '@imago/xrpc/frames'
import type { Arrival } from '../streams/feed.ts'
import type { Feeds } from '../streams/feeds.ts'
import { readJetstream } from '../streams/live-event.ts'
import type { Session } from './sessions.ts'

/** A place that a write has come to. */
export interface Stop {
  /** `answer` is the PDS's answer to the writer: from then on the write is durable. */
  readonly name: 'answer' | 'pds' | 'relay' | 'jetstream'
  /** Since the request was sent; `undefined` while it has not arrived. */
  readonly afterMs: number | undefined
  /** `seq` or `time_us`, for the streams. */
  readonly position: number | undefined
}

/** One write, followed on its way through the network. */
export interface Trace {
  readonly id: string
  readonly did: string
  readonly handle: string
  readonly collection: string
  readonly rkey: string
  readonly cid: string
  readonly rev: string
  readonly record: DataMap
  /** As they stand: those that come late are filled in. */
  readonly stops: readonly Stop[]
}

/** Long enough for a machine that is busy; whoever waits longer sees the rest by loading the page again. */
const WAIT_MS = 3000
const GIVE_UP_MS = 60_000
const STREAMS = ['pds', 'relay', 'jetstream'] as const
type Stream = (typeof STREAMS)[number]

/**
 * Writes a record, and watches the three streams for it. Resolves when it is everywhere, or after a few seconds.
 * @throws {DataError} when the record is not of the data model; {XrpcError} when the PDS refuses it.
 */
export async function writeAndTrace(options: {
  session: Session
  collection: Nsid
  record: unknown
  feeds: Feeds
}): Promise<Omit<Trace, 'id'>> {
  const { session, collection, feeds } = options
  const record = fromJson(options.record)
  if (!isDataMap(record)) throw new TypeError('a record is an object, such as { "text": "Hello" }')

  // The event may come before the answer does: everything of this account is kept until the answer names its rev.
  const watch = watchAccount(session.did, feeds)
  const startedMs = performance.now()
  try {
    const { uri, cid, commit } = await session.call((client) =>
      client.call(com.atproto.repo.createRecord.main, { input: { repo: session.did, collection, record } }),
    )
    const answeredMs = performance.now()
    if (commit === undefined) throw new Error(`the PDS did not tell the commit of ${uri}`)
    const { rev } = commit
    await watch.until(rev, WAIT_MS)
    setTimeout(() => watch.stop(), GIVE_UP_MS).unref()
    return {
      did: session.did,
      handle: session.handle,
      collection,
      rkey: uri.slice(uri.lastIndexOf('/') + 1),
      cid,
      rev,
      record,
      get stops() {
        const streams = STREAMS.map((name): Stop => {
          const arrival = watch.arrivals(rev).get(name)
          return { name, afterMs: arrival && arrival.atMs - startedMs, position: arrival?.position }
        })
        return [{ name: 'answer', afterMs: answeredMs - startedMs, position: undefined } as const, ...streams]
      },
    }
  } catch (error) {
    watch.stop()
    throw error
  }
}

function watchAccount(did: string, feeds: Feeds) {
  const seen: { stream: Stream; rev: string; arrival: Arrival }[] = []
  let wake = () => {}
  const unlisten = STREAMS.map((stream) =>
    feeds[stream].listen((arrival) => {
      const rev = commitRev(stream, arrival.payload, did)
      if (rev === undefined) return
      seen.push({ stream, rev, arrival })
      wake()
    }),
  )
  const arrivals = (rev: string) =>
    new Map(seen.filter((one) => one.rev === rev).map(({ stream, arrival }) => [stream, arrival]))
  return {
    arrivals,
    async until(rev: string, waitMs: number): Promise<void> {
      const deadline = AbortSignal.timeout(waitMs)
      while (arrivals(rev).size < STREAMS.length && !deadline.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve
          deadline.addEventListener('abort', () => resolve(), { once: true })
        })
    },
    stop() {
      for (const one of unlisten) one()
    },
  }
}

/** The rev of a message, if it is a commit of this account. */
function commitRev(stream: Stream, payload: Uint8Array, did: string): string | undefined {
  try {
    if (stream === 'jetstream') {
      const message = readJetstream(payload)
      return message.did === did ? message.commit?.rev : undefined
    }
    const frame = decodeFrame(payload)
    if (frame.kind !== 'message' || frame.type !== '#commit' || frame.body['repo'] !== did) return undefined
    const rev = frame.body['rev']
    return typeof rev === 'string' ? rev : undefined
  } catch {
    // The feed has told of what cannot be read.
    return undefined
  }
}

/** Traces by id, the latest of them. */
export interface Traces {
  keep(trace: Omit<Trace, 'id'>): Trace
  find(id: string): Trace | undefined
}

const MAX_TRACES = 100

export function createTraces(): Traces {
  const traces = new Map<string, Trace>()
  let made = 0
  return {
    keep(trace) {
      const id = String(++made)
      // Not a copy: `stops` goes on telling how things stand.
      const kept = Object.defineProperties(
        { id },
        Object.getOwnPropertyDescriptors(trace),
      ) as unknown as Trace
      traces.set(id, kept)
      if (traces.size > MAX_TRACES) traces.delete(traces.keys().next().value!)
      return kept
    },
    find: (id) => traces.get(id),
  }
}
