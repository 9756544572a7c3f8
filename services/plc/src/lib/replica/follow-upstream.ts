import { setTimeout as sleep } from 'node:timers/promises'
import type { NoteKey } from '@imago/tlog'
import type { PlcStore } from '../store/plc-store.ts'
import { readSnapshot } from './read-snapshot.ts'
import { type ReplayCounts, replayLines } from './replay-lines.ts'
import type { SignaturePool } from './signature-pool.ts'
import {
  type AnnouncedSnapshot,
  type SnapshotClient,
  SnapshotError,
  UpstreamLostError,
} from './snapshot-client.ts'
import { StreamEnd, type Upstream } from './upstream.ts'

const PAGE_LINES = 1000
/** Frames that are taken together: one fsync, and one round of the pool. */
const MAX_FRAMES = 1000
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 60_000
/** Connections lost one after the other, with nothing taken in between, before the history is read by pages. */
const MAX_LOST = 2

/** Where a replica stands. */
export interface ReplicaState {
  /** Everything that the upstream had at some moment is here: what is not here does not exist. */
  readonly isCaughtUp: boolean
  /** When the upstream was heard last, in milliseconds since the Unix epoch. */
  readonly heardAt: number | undefined
  readonly mode: 'snapshot' | 'pages' | 'stream' | 'waiting'
  readonly totals: Omit<ReplayCounts, 'lastSeq'>
}

export interface Following extends AsyncDisposable {
  readonly state: ReplicaState
}

/**
 * Follows a directory: its snapshot first, where it has one and the store lacks much; then page by page until the end is
 * reached, then its stream; back to pages where the stream says that it begins too late. Whatever goes wrong is tried
 * again, later and later.
 */
export function followUpstream(options: {
  readonly store: PlcStore
  readonly upstream: Upstream
  readonly snapshot: SnapshotClient
  /** What the checkpoint of a snapshot has to be signed with. */
  readonly logKey: NoteKey | undefined
  readonly pool: SignaturePool
  readonly now: () => number
  /** Told when a snapshot is begun that no key of ours vouches for. */
  readonly onUnvouched: () => void
  /** Told of each bundle of the snapshot that is taken. */
  readonly onBundle: (done: number, of: number) => void
  /** Told when the upstream did not answer, or ended. */
  readonly onTrouble: (error: unknown) => void
  /** Told of what was refused: an upstream that is honest has nothing of it. */
  readonly onEvidence: (counts: ReplayCounts) => void
}): Following {
  const { store, upstream, snapshot, logKey, pool, now, onTrouble, onEvidence } = options
  const stopped = new AbortController()
  const { signal } = stopped
  const totals = { accepted: 0, withdrawn: 0, known: 0, refused: 0, outOfOrder: 0, unreadable: 0 }
  let mode: ReplicaState['mode'] = 'pages'
  let isCaughtUp = false
  let heardAt: number | undefined
  /** Numbers that were told to us and refused are past, too. */
  let cursor: number | undefined
  let isSnapshotDue = true
  let lost = 0

  function count(counts: ReplayCounts): void {
    heardAt = now()
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += counts[key]
    cursor = Math.max(cursor ?? 0, counts.lastSeq ?? 0)
    if (counts.refused + counts.outOfOrder + counts.unreadable > 0) onEvidence(counts)
  }

  /** The upstream need not have one, and may lose it, or send rubbish: pages are always right. */
  async function beginWithSnapshot(): Promise<void> {
    mode = 'snapshot'
    let announced: AnnouncedSnapshot | undefined
    const before = totals.accepted
    try {
      announced = await snapshot.announced(signal)
      if (announced === undefined) {
        if (logKey === undefined) return
        throw new SnapshotError(`${upstream.url} offers no snapshot that its log vouches for: pages are read`)
      }
      if (logKey === undefined) options.onUnvouched()
      await readSnapshot(announced, {
        ...{ store, client: snapshot, pool, logKey, signal },
        onTaken: count,
        onBundle: options.onBundle,
      })
    } catch (error) {
      if (error instanceof UpstreamLostError) {
        const isTriedAgain = announced === undefined || totals.accepted > before || ++lost < MAX_LOST
        if (isTriedAgain) throw error
      } else if (!(error instanceof SnapshotError)) throw error
      onTrouble(error)
    }
  }

  async function readPages(): Promise<void> {
    mode = 'pages'
    for (;;) {
      cursor ??= (await store.latest())?.seq ?? 0
      const before = cursor
      const lines = await upstream.page(before, PAGE_LINES, signal)
      count(await replayLines(store, pool, lines))
      if (lines.length < PAGE_LINES) return
      // There is more, such as after days without the upstream: who is not here yet may exist again.
      isCaughtUp = false
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
      for (let at = 0; at < frames.length; at += MAX_FRAMES)
        count(await replayLines(store, pool, frames.slice(at, at + MAX_FRAMES)))
  }

  async function run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      const before = totals.accepted
      try {
        if (isSnapshotDue) {
          await beginWithSnapshot()
          isSnapshotDue = false
        }
        await readPages()
        await readStream()
      } catch (error) {
        if (signal.aborted) return
        onTrouble(error)
        // Where pages brought nothing, they will bring nothing at once either.
        const isBehind = error instanceof StreamEnd && error.reason === 'OutdatedCursor'
        if (isBehind && totals.accepted > before) continue
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
