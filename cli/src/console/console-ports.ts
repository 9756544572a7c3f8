import type { Logger } from '@imago/service'
import type { Names } from './names.ts'
import type { RepoSummaries } from './queries/repo-summary.ts'
import type { ServiceUrls } from './service-urls.ts'
import type { Feeds } from './streams/feeds.ts'
import type { Sessions } from './writing/sessions.ts'
import type { Traces } from './writing/trace.ts'

/** What the pages are made from. Each route names the few of these that it uses. */
export interface ConsolePorts {
  readonly services: ServiceUrls
  /** Reaches the services, and nobody else. */
  readonly fetch: typeof fetch
  readonly feeds: Feeds
  readonly names: Names
  readonly summaries: RepoSummaries
  readonly sessions: Sessions
  readonly traces: Traces
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly logger: Logger
  readonly version: string
  readonly dataPath: string
}
