const MAX_REMEMBERED = 10_000

/**
 * Tells whether something may be done for a key: once per interval, and for no more than some thousands of keys in one
 * interval altogether, so that forged events cannot make us hammer others.
 * @param now milliseconds since the Unix epoch.
 */
export function createRateLimit(intervalMs: number, now: () => number): (key: string) => boolean {
  /** In the order of time, the oldest first. */
  const doneAtMs = new Map<string, number>()
  return (key) => {
    const nowMs = now()
    for (const [oldest, atMs] of doneAtMs) {
      // A clock that was set back by more than the interval tells no more how long ago it was.
      if (Math.abs(nowMs - atMs) < intervalMs) break
      doneAtMs.delete(oldest)
    }
    if (doneAtMs.has(key) || doneAtMs.size >= MAX_REMEMBERED) return false
    doneAtMs.set(key, nowMs)
    return true
  }
}
