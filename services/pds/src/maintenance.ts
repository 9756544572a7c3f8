import type { EventLog } from '@imago/log'
import type { Logger } from '@imago/service'
import type { ReservedKeys } from './accounts/reserved-keys.ts'
import type { Blobs } from './blobs/blobs.ts'
import type { Imports } from './imports/imports.ts'

const INTERVAL_MS = 3_600_000

/** Housekeeping that nobody asks for by a request. */
export interface Maintenance extends AsyncDisposable {
  run(): Promise<void>
}

/** Runs it every hour until disposed of. */
export function startMaintenance(options: {
  log: Pick<EventLog, 'prune'>
  blobs: Pick<Blobs, 'sweep'>
  reservedKeys: Pick<ReservedKeys, 'prune'>
  imports: Pick<Imports, 'sweep'>
  /** Returns how many went. */
  removeExpiredAccounts: () => Promise<number>
  now: () => number
  replayWindowMs: number
  logger: Logger
}): Maintenance {
  const { log, blobs, reservedKeys, imports, removeExpiredAccounts, now, replayWindowMs, logger } = options
  let running: Promise<void> = Promise.resolve()

  async function once(): Promise<void> {
    const events = await log.prune(now() - replayWindowMs)
    const uploads = await blobs.sweep()
    const keys = await reservedKeys.prune()
    const accounts = await removeExpiredAccounts()
    imports.sweep()
    if (keys + accounts > 0)
      logger.info({ keys, accounts }, 'removed reserved keys and deactivated accounts whose time is over')
    if (events + uploads > 0) logger.info({ events, uploads }, 'pruned old events and abandoned uploads')
  }

  /** One at a time. */
  function run(): Promise<void> {
    const result = running.then(once)
    running = result.catch(() => {})
    return result
  }

  const timer = setInterval(
    () => run().catch((error) => logger.error({ err: error }, 'housekeeping failed')),
    INTERVAL_MS,
  )
  timer.unref()
  return {
    run,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
