import type { Metrics } from '@imago/service'
import type { NoteKey } from '@imago/tlog'
import type { PlcStore } from '../store/plc-store.ts'
import { followUpstream, type ReplicaState } from './follow-upstream.ts'
import { localSignatures, openSignaturePool } from './signature-pool.ts'
import { createSnapshotClient } from './snapshot-client.ts'
import { createUpstream } from './upstream.ts'
import { type DivergenceWatch, watchDivergence } from './watch-divergence.ts'

const HOUR_MS = 3_600_000
const DEFAULT_WINDOW_MS = 8 * 24 * HOUR_MS

export interface ReplicaOptions {
  /** Directory that is followed. */
  readonly upstream: string
  /** Others that should tell the same history. */
  readonly compareWith?: readonly string[]
  /** Key of the upstream's transparency log: what a snapshot is checked with. Default: believe the upstream. */
  readonly logKey?: NoteKey | undefined
  /** Goes to these directories. Default: the platform's. */
  readonly fetch?: typeof fetch
  /** Threads that verify signatures; 0 leaves it to the calling thread. Default: one per processor. */
  readonly workers?: number
  /** Between two comparisons. Default: an hour. */
  readonly compareEveryMs?: number
  /** How far back each comparison looks. Default: eight days. */
  readonly compareWindowMs?: number
}

/** A directory that follows another one, validates everything again, and keeps what does not hold. */
export interface Replica extends AsyncDisposable {
  readonly upstream: string
  readonly state: ReplicaState
  readonly watch: DivergenceWatch
}

export function openReplica(
  options: ReplicaOptions & {
    readonly store: PlcStore
    readonly now: () => number
    readonly metrics: Metrics | undefined
    readonly logger:
      | {
          error(fields: object, message: string): void
          warn?(fields: object, message: string): void
          info?(fields: object, message: string): void
        }
      | undefined
  },
): Replica {
  const { store, now, metrics, logger, workers } = options
  const fetchOf = options.fetch ?? fetch
  const resources = new AsyncDisposableStack()
  const upstream = createUpstream(options.upstream, fetchOf)
  const others = (options.compareWith ?? []).map((url) => createUpstream(url, fetchOf))
  const pool = resources.use(workers === 0 ? localSignatures : openSignaturePool(workers))
  const divergences = metrics?.counter({
    name: 'plc_divergences_total',
    help: 'Operations that another directory tells differently.',
    labelNames: ['kind'],
  })
  const following = resources.use(
    followUpstream({
      store,
      upstream,
      snapshot: createSnapshotClient(upstream.url, fetchOf),
      logKey: options.logKey,
      pool,
      now,
      onUnvouched: () =>
        logger?.warn?.(
          { upstream: upstream.url },
          'no key of the log is set: only the upstream vouches for order, times and completeness of its snapshot',
        ),
      onBundle: (done, of) =>
        logger?.info?.({ upstream: upstream.url, done, of }, 'a bundle of the snapshot is taken'),
      onTrouble: (error) => logger?.warn?.({ upstream: upstream.url, err: error }, 'the upstream was lost'),
      onEvidence: (counts) =>
        logger?.error(
          { upstream: upstream.url, ...counts },
          'the upstream told what may not stand in its history',
        ),
    }),
  )
  const watch = resources.use(
    watchDivergence({
      store,
      upstreams: [upstream, ...others],
      now,
      intervalMs: options.compareEveryMs ?? HOUR_MS,
      windowMs: options.compareWindowMs ?? DEFAULT_WINDOW_MS,
      isReady: () => following.state.isCaughtUp,
      onDivergence(url, divergence) {
        divergences?.inc({ kind: divergence.kind })
        logger?.error({ upstream: url, ...divergence }, 'a directory tells another history')
      },
      onTrouble: (url, error) => logger?.warn?.({ upstream: url, err: error }, 'a comparison broke off'),
    }),
  )
  metrics?.gauge({
    name: 'plc_replica_heard_seconds',
    help: 'Seconds since the upstream was heard last.',
    collect() {
      const { heardAt } = following.state
      this.set(heardAt === undefined ? Number.NaN : (now() - heardAt) / 1000)
    },
  })
  metrics?.gauge({
    name: 'plc_replica_operations',
    help: 'Operations that the upstream told, by what became of them.',
    labelNames: ['outcome'],
    collect() {
      for (const [outcome, count] of Object.entries(following.state.totals)) this.set({ outcome }, count)
    },
  })
  return {
    upstream: upstream.url,
    get state() {
      return following.state
    },
    watch,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
