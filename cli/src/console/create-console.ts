import type { Logger } from '@imago/service'
import { createApp } from './app.ts'
import { createNames } from './names.ts'
import { createNetworkFetch } from './network-fetch.ts'
import { createRepoSummaries } from './queries/repo-summary.ts'
import type { ServiceUrls } from './service-urls.ts'
import { createFeeds } from './streams/feeds.ts'
import { createSessions } from './writing/sessions.ts'
import { createTraces } from './writing/trace.ts'

export interface ConsoleOptions {
  readonly services: ServiceUrls
  /** Folder of the network's data, as it is shown. */
  readonly dataPath: string
  readonly version: string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly logger: Logger
}

/** The pages of a development network: a client of its services like any other, without a socket of its own. */
export interface Console extends AsyncDisposable {
  fetch(request: Request): Promise<Response>
  /** Begins to follow the streams, until disposed of. Call it when the services listen. */
  follow(): void
}

export function createConsole(options: ConsoleOptions): Console {
  const { services, now, logger } = options
  const stopped = new AbortController()
  const fetch = createNetworkFetch(services)
  const names = createNames({ services, fetch, now })
  const feeds = createFeeds({ services, names, now, logger })
  const app = createApp(
    {
      ...options,
      fetch,
      feeds,
      names,
      summaries: createRepoSummaries(names, fetch),
      sessions: createSessions({ pds: services.pds, fetch }),
      traces: createTraces(),
    },
    stopped.signal,
  )
  let following = Promise.resolve()
  return {
    fetch: async (request) => app.fetch(request),
    follow() {
      following = feeds.follow(stopped.signal)
    },
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await following
    },
  }
}
