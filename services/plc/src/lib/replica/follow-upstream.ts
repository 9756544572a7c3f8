import { setTimeout as sleep } from 'node:timers/promises'
import type { PlcStore } from '../store/plc-store.ts'
import { type ReplayCounts, replayLines } from './replay-lines.ts'
import type { SignaturePool } from './signature-pool.ts'
import { StreamEnd, type Upstream } from './upstream.ts'

const PAGE_LINES = 1000
/** Frames that are taken together: one fsync, and one round of the pool. */
const MAX_FRAMES = 1000
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 60_000

/** Where a replica stands. */
export interface ReplicaState {
  /** Everything that the upstream had at some moment is here: what is not here does not exist. */
  readonly isCaughtUp: boolean
  /** When the upstream was heard last, in milliseconds since the Unix epoch. */
  readonly heardAt: number | undefined
  readonly mode: 'pages' | 'stream' | 'waiting'
  readonly totals: Omit<ReplayCounts, 'lastSeq'>
}

export interface Following extends AsyncDisposable {
  readonly state: ReplicaState
}

/**
 * Follows a directory: page by page until the end is reached, then its stream; back to pages where the stream says that
 * it begins too late. Whatever goes wrong is tried again, later and later.
 */
export function followUpstream(options: {
  readonly store: PlcStore
  readonly upstream: Upstream
  readonly pool: SignaturePool
  readonly now: () => number
  /** Told when the upstream did not answer, or ended. */
  readonly onTrouble: (error: unknown) => void
  /** Told of what was refused: an upstream that is honest has nothing of it. */
  readonly onEvidence: (counts: ReplayCounts) => void
}): Following {
  const { store, upstream, pool, now, onTrouble, onEvidence } = options
  const stopped = new AbortController()
  const { signal } = stopped
  const totals = { accepted: 0, known: 0, refused: 0, outOfOrder: 0, unreadable: 0 }
  let mode: ReplicaState['mode'] = 'pages'
  let isCaughtUp = false
  let heardAt: number | undefined
  /** Numbers that were told to us and refused are past, too. */
  let cursor: number | undefined

  async function take(lines: readonly string[]): Promise<void> {
    const counts = await replayLines(store, pool, lines)
    heardAt = now()
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += counts[key]
    cursor = Math.max(cursor ?? 0, counts.lastSeq ?? 0)
    if (counts.refused + counts.outOfOrder + counts.unreadable > 0) onEvidence(counts)
  }

  async function readPages(): Promise<void> {
    mode = 'pages'
    for (;;) {
      cursor ??= (await store.latest())?.seq ?? 0
      const before = cursor
      const lines = await upstream.page(before, PAGE_LINES, signal)
      await take(lines)
      if (lines.length < PAGE_LINES) return
      if (cursor === before)
        throw new Error(
          `${upstream.url} told ${lines.length} lines behind number ${before}, and none with a higher one`,
        )
    }
  }

  async function readStream(): Promise<void> {
    mode = 'stream'
    isCaughtUp = true
    for await (const frames of upstream.stream(cursor ?? 0, signal))
      for (let at = 0; at < frames.length; at += MAX_FRAMES) await take(frames.slice(at, at + MAX_FRAMES))
  }

  async function run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      const before = totals.accepted
      try {
        await readPages()
        await readStream()
      } catch (error) {
        if (signal.aborted) return
        onTrouble(error)
        if (error instanceof StreamEnd && error.reason === 'OutdatedCursor') continue
      }
      mode = 'waiting'
      retryMs = totals.accepted > before ? FIRST_RETRY_MS : Math.min(2 * retryMs, MAX_RETRY_MS)
      await sleep(retryMs, undefined, { signal }).catch(() => {})
    }
  }

  const running = run()
  return {
    get state() {
      return { isCaughtUp, heardAt, mode, totals: { ...totals } }
    },
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await running
    },
  }
}
