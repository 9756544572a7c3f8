import { bool, type Config, choice, defineConfig, listenAddress, port, text } from '@imago/service'
import type { PlcOptions } from './lib/create-plc.ts'

/** Settings of the PLC directory. */
export const plcConfig = defineConfig('PLC_', {
  port: {
    env: 'PLC_PORT',
    aliases: ['PORT'],
    kind: port,
    default: 2582,
    doc: 'Port to listen on.',
  },
  hostname: {
    env: 'PLC_HOSTNAME',
    kind: text,
    doc: 'Interface to listen on, such as localhost. Every interface, if not set.',
  },
  databaseFile: {
    env: 'PLC_DATABASE_FILE',
    kind: text,
    default: 'data/plc/plc.sqlite',
    doc: 'Path of the database. It and its folder are made if absent.',
  },
  logLevel: {
    env: 'PLC_LOG_LEVEL',
    kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    doc: 'Least severe lines that are logged.',
  },
  metricsListen: {
    env: 'PLC_METRICS_LISTEN',
    kind: listenAddress,
    doc: 'Where to answer /metrics for Prometheus, such as 127.0.0.1:9582. Nowhere, if not set.',
  },
  writeLimits: {
    env: 'PLC_WRITE_LIMITS',
    kind: bool,
    default: true,
    doc: 'Whether a DID may change only 10 times an hour, 30 a day and 100 a week. Recoveries are never limited.',
  },
  writeLimitStatus: {
    env: 'PLC_WRITE_LIMIT_STATUS',
    kind: choice('429', '400'),
    default: '429',
    doc: 'Status for a DID that has changed too often. The public directory answers 400.',
  },
  tombstoneStatus: {
    env: 'PLC_TOMBSTONE_STATUS',
    kind: choice('410', '404'),
    default: '410',
    doc: 'Status for the document of a DID that has ended. The specification says 410; the public directory answers 404.',
  },
})

/** What `createPlc` makes of the settings; clock and logger are for the caller to add. */
export function plcOptionsOf(config: Config<typeof plcConfig>): PlcOptions {
  return {
    databaseFile: config.databaseFile,
    writeLimits: config.writeLimits,
    writeLimitStatus: config.writeLimitStatus === '400' ? 400 : 429,
    tombstoneStatus: config.tombstoneStatus === '404' ? 404 : 410,
  }
}
