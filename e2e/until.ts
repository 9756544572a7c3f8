import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 20_000

/**
 * Waits until `probe` gives something other than undefined, and returns that.
 * @throws Error naming what was waited for, when it does not come within twenty seconds.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS / 1000} s in vain for ${what}`)
    await sleep(20)
  }
}
