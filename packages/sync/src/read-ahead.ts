/**
 * The items of a source in their order, `prepare` having been called on several that come next: what it starts goes on
 * while the caller is busy with earlier ones.
 *
 * A caller who stops is not held up by reads that are still waiting, nor is the source, which is told to return.
 * @param count items asked for ahead, at least 1.
 */
export async function* readAhead<T, U>(
  source: AsyncIterable<T>,
  count: number,
  prepare: (item: T) => U,
): AsyncGenerator<U, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  const waiting: Promise<IteratorResult<U, undefined>>[] = []
  const readNext = async (): Promise<IteratorResult<U, undefined>> => {
    const next = await iterator.next()
    return next.done ? { done: true, value: undefined } : { done: false, value: prepare(next.value) }
  }
  try {
    while (true) {
      while (waiting.length < Math.max(1, count)) {
        const next = readNext()
        // A failure is told when its turn comes; until then nobody handles it.
        next.catch(() => {})
        waiting.push(next)
      }
      const item = await waiting.shift()!
      if (item.done) return
      yield item.value
    }
  } finally {
    // Not awaited: a generator returns only when its pending reads have been served, which may be never.
    iterator.return?.().catch(() => {})
  }
}
