/** One at a time for each key, in the order in which they ask. */
export type KeyLock = <T>(key: string, work: () => Promise<T>) => Promise<T>

export function createKeyLock(): KeyLock {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const result = (last.get(key) ?? Promise.resolve()).then(work)
    const settled = result.catch(() => {})
    last.set(key, settled)
    try {
      return await result
    } finally {
      if (last.get(key) === settled) last.delete(key)
    }
  }
}
