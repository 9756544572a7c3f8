import type { Logger } from '@imago/service'
import type { Names } from '../names.ts'
import type { ServiceUrls } from '../service-urls.ts'
import { createFeed, type Feed } from './feed.ts'
import {
  eventsOfFrame,
  eventsOfJetstream,
  frameSeq,
  type LiveEvent,
  readJetstream,
  type Source,
} from './live-event.ts'

/** The three streams of the network, in the order in which an event passes through them. */
export interface Feeds {
  readonly pds: Feed
  readonly relay: Feed
  readonly jetstream: Feed
  /** Rows of a message. None for one that cannot be read. */
  events(source: Source, payload: Uint8Array): LiveEvent[]
  /** Follows all three until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>
}

const HOUR_US = 3_600_000_000

/** The path of the repositories' stream, the same at a PDS and at a relay. */
const FIREHOSE = '/xrpc/com.atproto.sync.subscribeRepos'

export function createFeeds(options: {
  services: ServiceUrls
  names: Names
  now: () => number
  logger: Logger
}): Feeds {
  const { services, names, now, logger } = options
  const unreadable = (stream: string) => (error: unknown) =>
    logger.warn({ stream, err: error }, 'a message of a stream could not be used')
  // Only to see where a new record has come to: what was before does not matter.
  const pds = createFeed({
    url: `${services.pds}${FIREHOSE}`,
    positionOf: frameSeq,
    onUnreadable: unreadable('pds'),
  })
  const relay = createFeed({
    url: `${services.relay}${FIREHOSE}`,
    cursor: 0,
    positionOf: frameSeq,
    onUnreadable: unreadable('relay'),
  })
  const jetstream = createFeed({
    url: `${services.jetstream}/subscribe`,
    cursor: now() * 1000 - HOUR_US,
    positionOf: (payload) => readJetstream(payload).time_us,
    onUnreadable: unreadable('jetstream'),
  })

  function events(source: Source, payload: Uint8Array): LiveEvent[] {
    try {
      return source === 'relay' ? eventsOfFrame(payload) : eventsOfJetstream(payload)
    } catch (error) {
      unreadable(source)(error)
      return []
    }
  }

  relay.listen(({ payload }) => {
    for (const { kind, did } of events('relay', payload)) if (kind === 'identity') names.forget(did)
  })
  return {
    pds,
    relay,
    jetstream,
    events,
    follow: async (signal) => {
      await Promise.all([pds, relay, jetstream].map((feed) => feed.follow(signal)))
    },
  }
}
