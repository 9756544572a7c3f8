import { choice, defineConfig, duration, listenAddress, text, url } from '@imago/service'

/** Settings of Jetstream. */
export const jetstreamConfig = defineConfig('JETSTREAM_', {
  listen: {
    env: 'JETSTREAM_ADDR',
    aliases: ['JETSTREAM_LISTEN_ADDR'],
    kind: listenAddress,
    default: { hostname: undefined, port: 6008 },
    doc: 'Where to listen: a port on every interface, or on the one that is named before it.',
  },
  metricsListen: {
    env: 'JETSTREAM_METRICS_ADDR',
    aliases: ['JETSTREAM_METRICS_LISTEN_ADDR', 'JETSTREAM_DEBUG_ADDR'],
    kind: listenAddress,
    doc: 'Where Prometheus finds /metrics, such as 127.0.0.1:6009. Not served unless set.',
  },
  relayUrl: {
    env: 'JETSTREAM_RELAY_URL',
    kind: url,
    default: 'http://localhost:2470',
    doc: 'Relay whose firehose is followed. Each relay numbers events its own way: for another one, use another data directory.',
  },
  beginAt: {
    env: 'JETSTREAM_BEGIN_AT',
    kind: choice('oldest', 'live'),
    default: 'oldest',
    doc: 'Where an empty data directory begins: with the oldest event that the relay keeps, or with the next one.',
  },
  relayIdleTimeoutMs: {
    env: 'JETSTREAM_RELAY_IDLE_TIMEOUT',
    kind: duration,
    default: 300_000,
    doc: 'Connect anew when the relay has been silent for this long: its connection may be dead without having ended.',
  },
  dataDirectory: {
    env: 'JETSTREAM_DATA_DIR',
    kind: text,
    default: 'data/jetstream',
    doc: 'Folder of the events that are kept. Made if absent; two processes cannot share it.',
  },
  retentionMs: {
    env: 'JETSTREAM_CURSOR_LOOKBACK',
    aliases: ['JETSTREAM_EVENT_TTL'],
    kind: duration,
    default: 129_600_000,
    doc: 'How far back a cursor may lie: events are kept at least this long.',
  },
  logLevel: {
    env: 'JETSTREAM_LOG_LEVEL',
    kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    doc: 'Least severe lines that are logged.',
  },
})
