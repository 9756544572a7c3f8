import type { Directory } from '@imago/identity'
import type { Logger, Metrics } from '@imago/service'
import type { DialSchedule } from './hosts/host-connection.ts'
import type { StateStore } from './state/state-store.ts'

/** What an operator decides. */
export interface RelayConfig {
  /** Path of the database, made with its folder if absent. */
  readonly databaseFile: string
  /** Folder of the event log, made if absent. Holds nothing else. */
  readonly logFolder: string
  /** How long events can be replayed. Default 72 h. */
  readonly replayWindowMs?: number
  /** The first event of a new log has this number; an old log jumps to it. Default 1. */
  readonly initialSeq?: number
  /** Whether anybody may ask for a host to be read. Default true. */
  readonly requestCrawl?: boolean
  /** Hosts that may be added within 24 hours. Default 50. */
  readonly newHostsPerDay?: number
  /** Read `localhost:<port>`, without TLS: for development networks. Default false. */
  readonly allowInsecureHosts?: boolean
  /** Pass on commits that are signed well, and prove their change badly. They are counted. Default false. */
  readonly lenientSyncValidation?: boolean
  /** Identities that are looked up for one host at the same time. Default 40. */
  readonly hostConcurrency?: number
}

/** What comes from outside: a test passes its own. */
export interface RelayOptions {
  readonly config: RelayConfig
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly directory: Pick<Directory, 'resolve' | 'resolveDid'>
  /** Goes to hosts that strangers named: one from `createSafeFetch`. */
  readonly fetch: typeof fetch
  /** Makes the WebSocket to a host: {@link createVettedWebSocket}. */
  readonly openWebSocket: (url: URL, protocols: string[]) => WebSocket
  readonly logger: Logger
  readonly metrics: Metrics
  /** When hosts that do not answer are dialled again. */
  readonly dialSchedule?: DialSchedule
  /** Told once when log or database cannot be written: nothing is read any more, and the process had better end. */
  readonly onFailure?: (error: unknown) => void
  /** Stands between the relay and its database, for tests that break it. */
  readonly wrapState?: (state: StateStore) => StateStore
  /** Check what methods answer against the schemas; for development. Default false. */
  readonly checkOutput?: boolean
}
