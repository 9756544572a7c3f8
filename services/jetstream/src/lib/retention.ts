import type { EventLog } from '@imago/log'
import type { Ingest } from './ingest/follow-relay.ts'
import type { JetstreamLogger } from './ports.ts'

const INTERVAL_MS = 600_000

export interface Retention extends AsyncDisposable {
  /** Lets go of what is too old. One run at a time. */
  run(): Promise<void>
}

/** Lets go of old events every ten minutes until disposed of. */
export function startRetention(options: {
  readonly log: Pick<EventLog, 'prune'>
  readonly ingest: Pick<Ingest, 'keepCursor'>
  readonly retentionMs: number
  readonly now: () => number
  readonly logger: JetstreamLogger
}): Retention {
  const { log, ingest, retentionMs, now, logger } = options
  let running: Promise<void> = Promise.resolve()

  async function once(): Promise<void> {
    // On a quiet network every event may be old, and with the last one the cursor would go.
    await ingest.keepCursor()
    const events = await log.prune(now() - retentionMs)
    if (events > 0) logger.info({ events }, 'let go of old events')
  }

  function run(): Promise<void> {
    const result = running.then(once)
    running = result.catch(() => {})
    return result
  }

  const timer = setInterval(
    () => run().catch((error) => logger.error({ err: error }, 'old events could not be let go of')),
    INTERVAL_MS,
  )
  timer.unref()
  return {
    run,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await running
    },
  }
}
