const MAX_REMEMBERED = 10_000

/**
 * Tells whether something may be asked for anew: each key once per interval, and no more than some thousands of keys
 * altogether, so that forged events cannot make us hammer a directory.
 * @param now milliseconds since the Unix epoch.
 */
export function createRefreshLimit(intervalMs: number, now: () => number): (key: string) => boolean {
  /** In the order of time, the oldest first. */
  const refreshedAtMs = new Map<string, number>()
  return (key) => {
    const nowMs = now()
    for (const [oldest, atMs] of refreshedAtMs) {
      if (nowMs - atMs < intervalMs) break
      refreshedAtMs.delete(oldest)
    }
    if (refreshedAtMs.has(key) || refreshedAtMs.size >= MAX_REMEMBERED) return false
    refreshedAtMs.set(key, nowMs)
    return true
  }
}
