/** So often strangers may have this server ask the world anew, in all and about one identity. */
const WINDOW_MS = 60_000
const MAX_IN_WINDOW = 300
const PAUSE_MS = 5_000

/** What says whether an identity may be asked for anew. */
export interface RefreshLimit {
  /** Counts one more refresh of `identifier`, unless it comes too soon. @returns for how many milliseconds; 0 if it may. */
  waitMs(identifier: string): number
}

/**
 * A bound on refreshes: each is a request to a host that the caller chose.
 * @param now milliseconds since the Unix epoch.
 */
export function createRefreshLimit(now: () => number): RefreshLimit {
  /** When each identity was refreshed within the window, oldest first. */
  const recent = new Map<string, number>()
  return {
    waitMs(identifier) {
      const time = now()
      for (const [key, at] of recent) {
        if (at > time - WINDOW_MS) break
        recent.delete(key)
      }
      const last = recent.get(identifier)
      if (last !== undefined && time - last < PAUSE_MS) return PAUSE_MS - (time - last)
      if (recent.size >= MAX_IN_WINDOW && last === undefined)
        return recent.values().next().value! + WINDOW_MS - time
      recent.delete(identifier)
      recent.set(identifier, time)
      return 0
    },
  }
}
