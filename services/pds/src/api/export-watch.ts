import type { Did } from '@imago/syntax'

/** How slowly a repository may be read. */
export interface ExportLimits {
  /** For connections to get going, and for the smallest repositories. */
  readonly graceMs: number
  /** On average, after the grace. */
  readonly minBytesPerSecond: number
  /** Whatever its size. */
  readonly maxMs: number
  /** So many at a time, whoever asks: each holds a connection to the database and up to 16 MiB of nodes. */
  readonly maxRunning: number
}

/** A line of 512 kbit/s is fast enough, and ten minutes at a megabyte a second are more than any repository has. */
export const DEFAULT_EXPORT_LIMITS: ExportLimits = {
  graceMs: 15_000,
  minBytesPerSecond: 64 * 1024,
  maxMs: 600_000,
  maxRunning: 64,
}

const CHECK_INTERVAL_MS = 5000

/** The reader of a repository took too long, and does not get the rest. */
export class ExportCutError extends Error {
  constructor(did: Did, sentBytes: number, elapsedMs: number) {
    super(
      `the export of ${did} was cut: ${sentBytes} bytes were taken in ${Math.round(elapsedMs / 1000)} s, which is too slow`,
    )
    this.name = 'ExportCutError'
  }
}

/** One export on its way. */
export interface WatchedExport {
  /** More of it was taken. */
  took(bytes: number): void
  /** It is over, in whatever way. */
  end(): void
}

/**
 * Sees to it that exports end. Each of them reads from one moment of the database, and for as long as that moment is
 * held, everything that is written stays in the write-ahead log: one reader that stands still would fill the disk.
 */
export interface ExportWatch extends Disposable {
  /** Whether there are as many as there may be. The next one has to wait for its turn elsewhere. */
  readonly isFull: boolean
  /** @param cut called at most once, when the export is too slow: it has to let its snapshot go. */
  begin(did: Did, cut: (error: ExportCutError) => void): WatchedExport
  /** Cuts those that are too slow. Runs every few seconds by itself. */
  check(): void
}

/** @param onCut told of every export that is cut. */
export function createExportWatch(options: {
  readonly now: () => number
  readonly limits?: ExportLimits | undefined
  readonly onCut: (error: ExportCutError) => void
}): ExportWatch {
  const { now, limits = DEFAULT_EXPORT_LIMITS, onCut } = options
  interface Running {
    readonly did: Did
    readonly startedAt: number
    readonly cut: (error: ExportCutError) => void
    bytes: number
  }
  const running = new Set<Running>()

  function isTooSlow(elapsedMs: number, bytes: number): boolean {
    const { graceMs, minBytesPerSecond, maxMs } = limits
    return elapsedMs > maxMs || bytes < ((elapsedMs - graceMs) / 1000) * minBytesPerSecond
  }

  function check(): void {
    for (const each of [...running]) {
      const elapsedMs = now() - each.startedAt
      if (!isTooSlow(elapsedMs, each.bytes)) continue
      running.delete(each)
      const error = new ExportCutError(each.did, each.bytes, elapsedMs)
      onCut(error)
      each.cut(error)
    }
  }

  const timer = setInterval(check, CHECK_INTERVAL_MS)
  timer.unref()
  return {
    get isFull() {
      return running.size >= limits.maxRunning
    },
    begin(did, cut) {
      const each: Running = { did, startedAt: now(), cut, bytes: 0 }
      running.add(each)
      return {
        took(bytes) {
          each.bytes += bytes
        },
        end: () => void running.delete(each),
      }
    },
    check,
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
