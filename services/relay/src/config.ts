import {
  bool,
  type Config,
  choice,
  defineConfig,
  duration,
  integer,
  type Kind,
  listenAddress,
  text,
  url,
} from '@imago/service'
import type { RelayConfig } from './relay-options.ts'

/** A database in a file. Written as other relays write it, or as a plain path. */
const sqliteFile: Kind<string> = {
  name: 'SQLite file such as sqlite://data/relay/relay.sqlite',
  parse: (text) => {
    const path = text.replace(/^sqlite:(\/\/)?/, '')
    return path === '' || /^[a-z]+:\/\//.test(path) ? undefined : path
  },
  format: (path) => `sqlite://${path}`,
}

/** Settings of the relay. */
export const relayConfig = defineConfig('RELAY_', {
  apiBind: {
    env: 'RELAY_API_BIND',
    kind: listenAddress,
    default: { hostname: undefined, port: 2470 },
    doc: 'Where to listen.',
  },
  metricsListen: {
    env: 'RELAY_METRICS_LISTEN',
    kind: listenAddress,
    default: { hostname: 'localhost', port: 2471 },
    doc: 'Where to serve metrics, at /metrics.',
  },
  databaseFile: {
    env: 'RELAY_DATABASE_URL',
    aliases: ['DATABASE_URL'],
    kind: sqliteFile,
    default: 'data/relay/relay.sqlite',
    doc: 'Database of hosts and accounts. It and its folder are made if absent.',
  },
  logFolder: {
    env: 'RELAY_PERSIST_DIR',
    kind: text,
    default: 'data/relay/events',
    doc: 'Folder of the event log, and of nothing else. Made if absent.',
  },
  replayWindowMs: {
    env: 'RELAY_REPLAY_WINDOW',
    kind: duration,
    default: 72 * 60 * 60_000,
    doc: 'How long events can be replayed.',
  },
  initialSeq: {
    env: 'RELAY_INITIAL_SEQ_NUMBER',
    kind: integer({ min: 1 }),
    default: 1,
    doc: 'Number of the first event. Set it above the last one that consumers may have seen when a log is begun anew.',
  },
  plcUrl: {
    env: 'RELAY_PLC_HOST',
    kind: url,
    default: 'https://plc.directory',
    doc: 'PLC directory to resolve identities with.',
  },
  identityCacheSize: {
    env: 'RELAY_IDENT_CACHE_SIZE',
    kind: integer({ min: 1 }),
    default: 500_000,
    doc: 'Identities kept in memory.',
  },
  hostConcurrency: {
    env: 'RELAY_HOST_CONCURRENCY',
    kind: integer({ min: 1, max: 1000 }),
    default: 40,
    doc: 'Identities looked up for one host at the same time.',
  },
  disableRequestCrawl: {
    env: 'RELAY_DISABLE_REQUEST_CRAWL',
    kind: bool,
    default: false,
    doc: 'Whether hosts are refused that ask to be read.',
  },
  newHostsPerDay: {
    env: 'RELAY_NEW_HOSTS_PER_DAY_LIMIT',
    kind: integer(),
    default: 50,
    doc: 'Hosts that may be added within 24 hours.',
  },
  allowInsecureHosts: {
    env: 'RELAY_ALLOW_INSECURE_HOSTS',
    kind: bool,
    default: false,
    doc: 'Whether localhost:<port> is read, without TLS. For development networks.',
  },
  lenientSyncValidation: {
    env: 'RELAY_LENIENT_SYNC_VALIDATION',
    kind: bool,
    default: false,
    doc: 'Whether commits that are signed well and prove their change badly are passed on, and counted.',
  },
  logLevel: {
    env: 'RELAY_LOG_LEVEL',
    aliases: ['LOG_LEVEL'],
    kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    doc: 'Least severe lines that are logged.',
  },
})

/** What the environment says, as {@link createRelay} takes it. */
export function relayConfigOf(settings: Config<typeof relayConfig>): RelayConfig {
  const { databaseFile, logFolder, replayWindowMs, initialSeq, disableRequestCrawl } = settings
  const { newHostsPerDay, allowInsecureHosts, lenientSyncValidation, hostConcurrency } = settings
  return {
    databaseFile,
    logFolder,
    replayWindowMs,
    initialSeq,
    requestCrawl: !disableRequestCrawl,
    newHostsPerDay,
    allowInsecureHosts,
    lenientSyncValidation,
    hostConcurrency,
  }
}
