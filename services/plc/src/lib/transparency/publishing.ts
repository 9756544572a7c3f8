import { REFRESH_MS, type TransparencyLog } from './transparency-log.ts'

/** Between two checkpoints that are shown: witnesses need not see each of them. */
const DEFAULT_INTERVAL_MS = 250

/** Publishes as the log grows, for as long as it lives. */
export interface Publishing extends AsyncDisposable {
  /** Resolves when the entry is in the published log, or the time is over. */
  until(size: number, timeoutMs: number): Promise<boolean>
}

export function startPublishing(
  log: TransparencyLog,
  options: {
    readonly subscribe: (listener: () => void) => () => void
    readonly onFailure: (error: unknown) => void
    readonly intervalMs?: number
  },
): Publishing {
  const { subscribe, onFailure, intervalMs = DEFAULT_INTERVAL_MS } = options
  const waiting = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  async function run(): Promise<void> {
    try {
      await log.publish()
    } catch (error) {
      onFailure(error)
    }
    for (const check of waiting) check()
  }

  function schedule(delayMs = intervalMs): void {
    timer ??= setTimeout(() => {
      timer = undefined
      running = run()
    }, delayMs)
    timer.unref()
  }

  const unsubscribe = subscribe(() => schedule())
  const refresh = setInterval(() => schedule(), REFRESH_MS)
  refresh.unref()
  schedule(0)
  return {
    async until(size, timeoutMs) {
      const isShown = () => (log.published?.size ?? 0) >= size
      if (isShown()) return true
      const { promise, resolve } = Promise.withResolvers<void>()
      const check = () => {
        if (isShown()) resolve()
      }
      const late = setTimeout(resolve, timeoutMs)
      waiting.add(check)
      schedule()
      await promise
      clearTimeout(late)
      waiting.delete(check)
      return isShown()
    },
    async [Symbol.asyncDispose]() {
      unsubscribe()
      clearInterval(refresh)
      clearTimeout(timer)
      await running
    },
  }
}
