export interface GroupCommitOptions<Request, Result> {
  /**
   * Commits everything that waits, and returns one result per request, in order. Called for one batch at a time. May be
   * synchronous (SQLite) or not (files). When it throws, every request of the batch is rejected with that error; a
   * request that fails on its own account has to be a kind of `Result`.
   */
  flush(batch: readonly Request[]): readonly Result[] | Promise<readonly Result[]>
  /** Most requests in one batch. Default 1,000. */
  readonly maxRequests?: number
  /** What a request adds to a batch, in a unit of your choice; with `maxWeight`. */
  weigh?(request: Request): number
  /** A batch ends with the request that reaches this weight. Default: no bound. */
  readonly maxWeight?: number
}

/** Concurrent requests that share one commit, and so one fsync. */
export interface GroupCommit<Request, Result> {
  /** Resolves when the flush that took the request has returned. Requests are flushed in the order of these calls. */
  submit(request: Request): Promise<Result>
  /** Requests that wait, not counting those in the flush under way. */
  readonly waiting: number
  /** Resolves when nothing waits and nothing is being flushed. Never rejects. */
  idle(): Promise<void>
}

interface Waiting<Request, Result> {
  readonly request: Request
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit: requests queue, one flush at a time commits all that have gathered, then all are answered. A lone
 * request is flushed as soon as the event loop has heard everybody who spoke in the same turn; under load, whoever
 * arrives during a flush shares the next one, so the cost of durability is divided by the number of waiters.
 */
export function createGroupCommit<Request, Result>(
  options: GroupCommitOptions<Request, Result>,
): GroupCommit<Request, Result> {
  const { maxRequests = 1000, maxWeight = Number.POSITIVE_INFINITY } = options
  let queue: Waiting<Request, Result>[] = []
  let running = false
  let idlers: (() => void)[] = []

  function takeBatch(): Waiting<Request, Result>[] {
    let weight = 0
    let count = 0
    while (count < queue.length && count < maxRequests && weight < maxWeight) {
      weight += options.weigh?.(queue[count]!.request) ?? 0
      count++
    }
    const batch = queue.slice(0, count)
    queue = queue.slice(count)
    return batch
  }

  async function flushOnce(): Promise<void> {
    const batch = takeBatch()
    try {
      const results = await options.flush(batch.map(({ request }) => request))
      if (results.length !== batch.length)
        throw new Error(`flush returned ${results.length} results for ${batch.length} requests`)
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]!)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    if (queue.length > 0) setImmediate(flushOnce)
    else {
      running = false
      const waiters = idlers
      idlers = []
      for (const resolve of waiters) resolve()
    }
  }

  return {
    submit: (request) =>
      new Promise((resolve, reject) => {
        queue.push({ request, resolve, reject })
        if (running) return
        running = true
        setImmediate(flushOnce)
      }),
    get waiting() {
      return queue.length
    },
    idle: () => (running ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
  }
}
