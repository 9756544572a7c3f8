import type { PlcStore } from '../store/plc-store.ts'
import { compareUpstream, type Divergence } from './compare-upstream.ts'
import type { Upstream } from './upstream.ts'

/** What is younger may not have reached every mirror yet. */
const SETTLED_MS = 5 * 60_000

export interface DivergenceWatch extends AsyncDisposable {
  /** Compares everything since the last time, now. One at a time. */
  compare(): Promise<void>
}

/**
 * Holds the history here against several directories, from time to time: each of them should tell the same. What
 * differs is kept as evidence.
 */
export function watchDivergence(options: {
  readonly store: PlcStore
  readonly upstreams: readonly Upstream[]
  readonly now: () => number
  readonly intervalMs: number
  /** How far back each round looks: operations are taken back long after they were told. */
  readonly windowMs: number
  readonly isReady: () => boolean
  readonly onDivergence: (upstream: string, divergence: Divergence) => void
  readonly onTrouble: (upstream: string, error: unknown) => void
}): DivergenceWatch {
  const { store, upstreams, now, intervalMs, windowMs, isReady, onDivergence, onTrouble } = options
  const stopped = new AbortController()

  async function compareWith(upstream: Upstream): Promise<void> {
    const before = now() - SETTLED_MS
    const range = { after: before - windowMs, before }
    for await (const divergence of compareUpstream(store, upstream, range, stopped.signal)) {
      const { did, cid, createdAt, kind } = divergence
      await store.keepEvidence({
        did,
        seq: 0,
        json: JSON.stringify({ cid, createdAt }),
        reason: `${kind}: held against ${upstream.url}`,
      })
      onDivergence(upstream.url, divergence)
    }
  }

  async function once(): Promise<void> {
    if (!isReady()) return
    for (const upstream of upstreams) {
      if (stopped.signal.aborted) return
      try {
        await compareWith(upstream)
      } catch (error) {
        if (!stopped.signal.aborted) onTrouble(upstream.url, error)
      }
    }
  }

  let running: Promise<void> = Promise.resolve()
  const compare = () => (running = running.then(once))
  const timer = setInterval(() => void compare(), intervalMs)
  timer.unref()
  return {
    compare,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      stopped.abort()
      await running
    },
  }
}
