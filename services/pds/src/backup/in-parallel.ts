/**
 * Works on items, so many at a time, asking for the next when there is room for it. After a failure nothing new is
 * begun; the promise rejects once nothing runs any more.
 */
export async function inParallel<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = iteratorOf(items)
  let failed = false
  async function worker(): Promise<void> {
    while (!failed) {
      const next = await iterator.next()
      if (next.done) return
      await work(next.value)
    }
  }
  const workers = Array.from({ length: width }, () =>
    worker().catch((error) => {
      failed = true
      throw error
    }),
  )
  await Promise.allSettled(workers)
  if (failed) await iterator.return?.()
  await Promise.all(workers)
}

function iteratorOf<Item>(items: AsyncIterable<Item> | Iterable<Item>) {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
}
