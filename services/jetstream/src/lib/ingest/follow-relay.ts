import type { EventLog } from '@imago/log'
import type { SubscribeOptions } from '@imago/xrpc/subscribe'
import { cursorKey, upstreamSeqOf } from '../entry-key.ts'
import type { JetstreamLogger, JetstreamMeters } from '../ports.ts'
import { createBatchWriter } from './batch-writer.ts'
import { createDropReport } from './drop-report.ts'
import { translateFrame } from './translate-frame.ts'

/** Raw frames of an event stream, for as long as it takes. `subscribe` of `@imago/xrpc` is one. */
export type OpenStream = (url: URL, options: SubscribeOptions) => AsyncIterable<Uint8Array>

export interface FollowRelayOptions {
  readonly log: EventLog
  readonly relayUrl: string
  readonly beginAt: 'oldest' | 'live'
  readonly idleTimeoutMs: number | undefined
  readonly openStream: OpenStream
  readonly now: () => number
  readonly logger: JetstreamLogger
  readonly meters: JetstreamMeters
}

/** The one way by which events come in. */
export interface Ingest extends AsyncDisposable {
  /** The relay's number of the last event that was taken; `undefined` before the first. */
  readonly upstreamSeq: number | undefined
  /** Resolves after disposal. Rejects when the log takes no more: then nothing may go on. */
  readonly done: Promise<void>
  /** Writes an entry that holds nothing but the cursor, so that the log may forget all others. */
  keepCursor(): Promise<void>
}

/**
 * Follows the relay's firehose into the log. The log is all the state there is: each entry's key names the relay's event
 * that it comes from, and the events of one frame are appended together, so after a crash the newest entry tells exactly
 * which frame comes next.
 */
export async function followRelay(options: FollowRelayOptions): Promise<Ingest> {
  const { log, openStream, now, logger, meters } = options
  const stop = new AbortController()
  const writer = createBatchWriter(log, () => stop.abort())
  let upstreamSeq = await lastUpstreamSeq(log)
  const report = createDropReport(now, ({ reason, message }, untold) =>
    logger.warn({ reason, untold }, `dropped: ${message}`),
  )

  async function take(bytes: Uint8Array): Promise<void> {
    const { seq, drafts, drops, info } = translateFrame(bytes)
    if (info) logger.warn({ info }, 'the relay says that events are missing')
    if (seq !== undefined) {
      // The relay sends again what came before a reconnection, and may count the boundary its own way.
      if (upstreamSeq !== undefined && seq <= upstreamSeq) return
      upstreamSeq = seq
    }
    for (const drop of drops) {
      meters.dropped(drop.reason)
      report(drop)
    }
    await writer.write(drafts)
    meters.taken(drafts.length)
  }

  async function run(): Promise<void> {
    const url = new URL('/xrpc/com.atproto.sync.subscribeRepos', options.relayUrl)
    const frames = openStream(url, {
      cursor: () => upstreamSeq ?? (options.beginAt === 'oldest' ? 0 : undefined),
      signal: stop.signal,
      idleTimeoutMs: options.idleTimeoutMs,
      onErrorFrame: ({ error, message }) => {
        logger.warn({ error, message }, 'the relay ended the stream')
        if (error === 'FutureCursor') {
          // The relay has lost its past and counts anew; whatever it has now, we have not.
          upstreamSeq = 0
        }
        return 'reconnect'
      },
      onDisconnect: ({ ending, reason, delayMs }) =>
        logger.info({ ending, reason, delayMs }, 'the relay is gone: connecting anew'),
    })
    try {
      for await (const bytes of frames) {
        await take(bytes)
        if (stop.signal.aborted) break
      }
    } finally {
      await writer.flushed()
    }
  }

  const done = run()
  // Whoever asks is told; nobody has to ask.
  done.catch(() => {})
  return {
    get upstreamSeq() {
      return upstreamSeq
    },
    done,
    keepCursor: async () => {
      if (upstreamSeq === undefined) return
      // In line with the events, so that it neither jumps over one nor falls behind one.
      await writer.write([{ key: cursorKey(upstreamSeq), characters: 0, encode: () => new Uint8Array() }])
      await writer.flushed()
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await done.catch(() => {})
    },
  }
}

/** Where the newest entry says that the relay's stream was left. */
async function lastUpstreamSeq(log: EventLog): Promise<number | undefined> {
  if (log.head === 0) return undefined
  const [newest] = await log.read(log.head - 1, { entries: 1 })
  return newest && upstreamSeqOf(newest.key)
}
