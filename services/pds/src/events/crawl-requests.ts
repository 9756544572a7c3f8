import type { EventLog } from '@imago/log'

/** At most one round in this time: the crawlers' own limits are not much higher. */
const MIN_INTERVAL_MS = 20 * 60_000
const TIMEOUT_MS = 10_000

export interface CrawlRequests extends Disposable {
  /** One round now, events or not. */
  announce(): void
}

/**
 * Asks relays to come and read the stream: when the server begins to listen (`announce`), at once at the first event
 * after that, and from then on whenever there are new events, but seldom. A relay that follows already does not mind;
 * one that lost us finds back.
 * @param options.crawlers addresses of relays, such as `https://bsky.network`.
 * @param options.hostname our own public host name, with a port where it is not the usual one.
 */
export function startCrawlRequests(options: {
  log: Pick<EventLog, 'subscribe'>
  crawlers: readonly string[]
  hostname: string
  now: () => number
  fetch: typeof fetch
  onFailure: (crawler: string, error: unknown) => void
}): CrawlRequests {
  const { log, crawlers, hostname, now, fetch, onFailure } = options
  const stopped = new AbortController()
  let lastRound = Number.NEGATIVE_INFINITY

  async function request(crawler: string): Promise<void> {
    try {
      const response = await fetch(`${crawler.replace(/\/$/, '')}/xrpc/com.atproto.sync.requestCrawl`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ hostname }),
        signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`answered ${response.status}: ${text.slice(0, 200)}`)
    } catch (error) {
      if (!stopped.signal.aborted) onFailure(crawler, error)
    }
  }

  function announce(): void {
    for (const crawler of crawlers) void request(crawler)
  }

  const unsubscribe = log.subscribe(() => {
    if (now() - lastRound < MIN_INTERVAL_MS) return
    lastRound = now()
    announce()
  })
  return {
    announce,
    [Symbol.dispose]() {
      unsubscribe()
      stopped.abort()
    },
  }
}
