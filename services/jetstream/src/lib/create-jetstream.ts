import { join } from 'node:path'
import { createFanOut } from '@imago/log'
import { openSegmentLog } from '@imago/log/segments'
import { createMetrics, type Metrics, type Upgrade } from '@imago/service'
import { subscribe } from '@imago/xrpc/subscribe'
import { followRelay, type Ingest, type OpenStream } from './ingest/follow-relay.ts'
import { createMeters } from './meters.ts'
import { answerPage, type Health } from './pages.ts'
import type { JetstreamLogger } from './ports.ts'
import { startRetention } from './retention.ts'
import { openSubscription } from './subscribe/upgrade.ts'

export interface JetstreamOptions {
  /** The relay that is followed, such as `http://localhost:2470`. */
  readonly relayUrl: string
  /** Holds the events. Made if absent; two processes cannot share it. */
  readonly dataDirectory: string
  /** Events are kept at least this long. Default 36 hours. */
  readonly retentionMs?: number
  /** Where an empty directory begins: with the oldest event of the relay, or the next. Default `oldest`. */
  readonly beginAt?: 'oldest' | 'live'
  /** Connect anew after such a silence of the relay. Default 5 minutes. */
  readonly relayIdleTimeoutMs?: number
  /** Milliseconds since the Unix epoch. Default: the system clock. */
  readonly now?: () => number
  /** How the relay's stream is opened. Default: `subscribe` of `@imago/xrpc`. */
  readonly openStream?: OpenStream
  /** Default: lines go nowhere. */
  readonly logger?: JetstreamLogger
  readonly metrics?: Metrics
  /** What `/_health` names. */
  readonly version?: string
}

/** A running Jetstream without a socket: `serve({ ...jetstream, port })` gives it one. */
export interface Jetstream extends AsyncDisposable {
  fetch(request: Request): Promise<Response>
  upgrade(request: Request): Upgrade | Response
  /** Largest message that a subscriber may send, in bytes: 10,000 DIDs fit. */
  readonly maxMessageBytes: number
  /**
   * Resolves after disposal. Rejects when events can no longer be stored: then the process should end, and begin again
   * once the disk is well.
   */
  readonly done: Promise<void>
  /** Lets go of events that are past retention. Runs every ten minutes by itself. */
  maintain(): Promise<void>
}

const MAX_MESSAGE_BYTES = 10_000_000
const DEFAULT_RETENTION_MS = 36 * 3_600_000
const DEFAULT_IDLE_TIMEOUT_MS = 300_000
const SILENT: JetstreamLogger = { info() {}, warn() {}, error() {} }

/**
 * Opens Jetstream on its directory and begins to follow the relay. Close it after the server that uses it.
 * @throws {LogError} when the directory is in use, damaged, or not to be written.
 * @see https://github.com/bluesky-social/jetstream
 */
export async function createJetstream(options: JetstreamOptions): Promise<Jetstream> {
  const { now = Date.now, logger = SILENT, metrics = createMetrics(), version = '0.1.0' } = options
  await using opened = new AsyncDisposableStack()
  const log = opened.use(
    await openSegmentLog({
      folder: join(options.dataDirectory, 'events'),
      now,
      // The number of an event is its time: strictly rising, also where the clock does not.
      nextSeq: (previous) => Math.max(previous + 1, Math.floor(now() * 1000)),
    }),
  )
  const stream = opened.use(
    createFanOut(log, {
      opcode: 'text',
      messageOf: ({ payload }) => (payload.length === 0 ? undefined : payload),
    }),
  )

  let ingest: Ingest | undefined
  let healthy = true
  const health = (): Health => ({
    version,
    healthy,
    newestTimeMicros: log.head,
    oldestTimeMicros: log.oldest,
    relaySeq: ingest?.upstreamSeq ?? null,
    subscribers: stream.readers,
  })
  ingest = opened.use(
    await followRelay({
      log,
      relayUrl: options.relayUrl,
      beginAt: options.beginAt ?? 'oldest',
      idleTimeoutMs: options.relayIdleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
      openStream: options.openStream ?? subscribe,
      now,
      logger,
      meters: createMeters(metrics, health),
    }),
  )
  ingest.done.catch((error) => {
    healthy = false
    logger.error({ err: error }, 'events can no longer be stored')
  })
  const retention = opened.use(
    startRetention({ log, ingest, retentionMs: options.retentionMs ?? DEFAULT_RETENTION_MS, now, logger }),
  )

  const resources = opened.move()
  return {
    fetch: async (request) => answerPage(request, health),
    upgrade: (request) => openSubscription(request, stream, () => log.head),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    done: ingest.done,
    maintain: () => retention.run(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
