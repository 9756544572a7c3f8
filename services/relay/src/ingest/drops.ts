import type { Logger, Metrics } from '@imago/service'
import { type CheckName, createRateLimit } from '@imago/sync'

/**
 * Why an event was not passed on: the name of the check that it failed, or
 * - `frame` the bytes are not a frame, or not one that this version knows;
 * - `body` a field is missing, or is not what its type asks for;
 * - `sequence` its number does not come after the one before it;
 * - `unchanged` a `#sync` that says what is known;
 * - `unknown-type` a kind of message that this version does not know;
 * - `internal` our own fault.
 */
export type DropReason = CheckName | 'frame' | 'body' | 'sequence' | 'unchanged' | 'unknown-type' | 'internal'

/** One event that was not passed on. */
export interface Drop {
  readonly host: string
  readonly check: DropReason
  /** For people. */
  readonly reason: string
  readonly did?: string | undefined
  /** The host's number, where one could be read. */
  readonly seq?: number | undefined
}

export interface Drops {
  note(drop: Drop): void
  /** The last few about an account, the oldest first. */
  about(did: string): readonly (Drop & { readonly atMs: number })[]
}

/** What happens in the course of things, and says nothing against the host. */
const USUAL: ReadonlySet<DropReason> = new Set(['rev-advances', 'sequence', 'unchanged', 'unknown-type'])
const LOG_INTERVAL_MS = 60_000
const ACCOUNTS_REMEMBERED = 10_000
const DROPS_PER_ACCOUNT = 5

/** Counts what is dropped, by host and check; remembers the last reasons by account; logs some of them. */
export function createDrops(options: { logger: Logger; metrics: Metrics; now: () => number }): Drops {
  const { logger, metrics, now } = options
  const counter = metrics.counter({
    name: 'dropped_events_total',
    help: 'Events that were not passed on, by the host that sent them and the check that they failed.',
    labelNames: ['host', 'check'],
  })
  const mayLog = createRateLimit(LOG_INTERVAL_MS, now)
  /** By account, the one that was spoken of last at the end. */
  const recent = new Map<string, (Drop & { readonly atMs: number })[]>()

  function remember(did: string, drop: Drop): void {
    const drops = recent.get(did) ?? []
    recent.delete(did)
    recent.set(did, [...drops.slice(1 - DROPS_PER_ACCOUNT), { ...drop, atMs: now() }])
    if (recent.size > ACCOUNTS_REMEMBERED) recent.delete(recent.keys().next().value!)
  }

  return {
    note(drop) {
      const { host, check, did } = drop
      counter.inc({ host, check })
      if (did !== undefined && check !== 'sequence') remember(did, drop)
      if (!USUAL.has(check) && mayLog(`${host} ${check}`))
        logger.warn(drop, 'dropped an event; more of this kind within a minute are only counted')
    },
    about: (did) => recent.get(did) ?? [],
  }
}
