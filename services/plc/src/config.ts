import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  bool,
  type Config,
  choice,
  defineConfig,
  integer,
  type Kind,
  list,
  listenAddress,
  port,
  readOrCreateSecret,
  text,
  url,
} from '@imago/service'
import { type NoteKey, parseTrustPolicy, parseVkey } from '@imago/tlog'
import type { PlcOptions } from './lib/create-plc.ts'
import { createDurableFile } from './lib/durable-file.ts'

/** A key that verifies notes, as c2sp.org/signed-note writes it. */
const vkey: Kind<NoteKey> = {
  name: 'verifier key such as plc.example.org/log+c0ffee00+…',
  parse(text) {
    try {
      return parseVkey(text)
    } catch {
      return undefined
    }
  },
  format: (key) => key.vkey,
}

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
  databaseUrl: {
    env: 'PLC_DATABASE_URL',
    aliases: ['DATABASE_URL'],
    kind: text,
    secret: true,
    doc: 'Address of a PostgreSQL database that takes the place of PLC_DATABASE_FILE, such as postgres://user:password@host/plc. One process at a time may use it. Secrets of the log still lie beside PLC_DATABASE_FILE.',
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
  logOrigin: {
    env: 'PLC_LOG_ORIGIN',
    kind: text,
    doc: 'Name of the transparency log: the public address of this directory without its scheme, and /log, such as plc.example.org/log. Never to change. No log is kept, if not set.',
  },
  logSeedFile: {
    env: 'PLC_LOG_SEED_FILE',
    kind: text,
    doc: 'File with the secret of the log, made if absent. Default: log.seed beside the database. Whoever has it can sign another history.',
  },
  logPolicyFile: {
    env: 'PLC_LOG_POLICY_FILE',
    kind: text,
    doc: 'File that names the witnesses of the log, with their addresses, and the quorum that a checkpoint needs, after c2sp.org/tlog-policy. No witness, if not set.',
  },
  snapshots: {
    env: 'PLC_SNAPSHOTS',
    kind: bool,
    default: true,
    doc: 'Whether each 65,536 entries of the log are kept compressed as well, so that new replicas begin in minutes. Only with PLC_LOG_ORIGIN.',
  },
  snapshotFolder: {
    env: 'PLC_SNAPSHOT_FOLDER',
    kind: text,
    doc: 'Folder of these files, some 190 bytes for each operation. Default: snapshot beside the database. What is taken away is made again.',
  },
  upstream: {
    env: 'PLC_UPSTREAM',
    kind: url,
    doc: 'Directory to follow, such as https://plc.directory. This one is then a replica: it validates everything again, serves it, and takes no operations.',
  },
  upstreamLogKey: {
    env: 'PLC_UPSTREAM_LOG_KEY',
    kind: vkey,
    doc: 'Key of the log of PLC_UPSTREAM, as it stands in its /_health: what its snapshot is held against. Without it, only the upstream vouches for order, times and completeness; signatures are verified all the same.',
  },
  compareWith: {
    env: 'PLC_COMPARE_WITH',
    kind: list(url),
    default: [],
    doc: 'Other directories that should tell the same history as PLC_UPSTREAM. Compared every hour; what differs is logged and kept.',
  },
  addressLimit: {
    env: 'PLC_ADDRESS_LIMIT',
    kind: integer({ min: 1 }),
    default: 100,
    doc: 'Operations that one address may submit in five minutes. Recoveries are never limited. Behind a proxy on the same machine or network, X-Forwarded-For says the address.',
  },
  alertWebhook: {
    env: 'PLC_ALERT_WEBHOOK',
    kind: url,
    doc: 'Address that is told of every change of keys or services, as a POST of JSON signed with the secret of PLC_ALERT_SECRET_FILE.',
  },
  alertDids: {
    env: 'PLC_ALERT_DIDS',
    kind: list(text),
    default: [],
    doc: 'DIDs that PLC_ALERT_WEBHOOK is told of. Every DID, if empty.',
  },
  alertSecretFile: {
    env: 'PLC_ALERT_SECRET_FILE',
    kind: text,
    doc: 'File with the secret that signs alerts, made if absent. Default: alert.secret beside the database.',
  },
  adminSecret: {
    env: 'PLC_ADMIN_SECRET',
    kind: text,
    secret: true,
    doc: 'Opens POST /admin/removeInvalidOps, which withdraws operations that may not stand. At least 16 random characters. Better in a file: PLC_ADMIN_SECRET_FILE.',
  },
  adminSecretFile: {
    env: 'PLC_ADMIN_SECRET_FILE',
    kind: text,
    doc: 'File with this secret in one line. Without either, the admin methods are closed.',
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

/**
 * What `createPlc` makes of the settings; clock and logger are for the caller to add. Reads the files that they name.
 * @throws {Error} when one of them cannot be read, {@link TlogError} when the policy is none.
 */
export function plcOptionsOf(config: Config<typeof plcConfig>): PlcOptions {
  return {
    databaseFile: config.databaseFile,
    databaseUrl: config.databaseUrl,
    transparency: transparencyOf(config),
    replica:
      config.upstream === undefined
        ? undefined
        : {
            upstream: config.upstream,
            compareWith: config.compareWith,
            logKey: config.upstreamLogKey,
          },
    snapshots: config.snapshots
      ? { folder: config.snapshotFolder ?? join(dirname(config.databaseFile), 'snapshot') }
      : undefined,
    addressLimit: config.addressLimit,
    webhooks: webhooksOf(config),
    adminSecret: adminSecretOf(config),
    writeLimits: config.writeLimits,
    writeLimitStatus: config.writeLimitStatus === '400' ? 400 : 429,
    tombstoneStatus: config.tombstoneStatus === '404' ? 404 : 410,
  }
}

const MIN_SECRET_LENGTH = 16

function adminSecretOf({ adminSecret, adminSecretFile }: Config<typeof plcConfig>): string | undefined {
  if (adminSecretFile !== undefined && adminSecret !== undefined)
    throw new Error('PLC_ADMIN_SECRET and PLC_ADMIN_SECRET_FILE are both set: leave one of them out')
  const secret =
    adminSecretFile === undefined ? adminSecret : textOf('PLC_ADMIN_SECRET_FILE', adminSecretFile).trim()
  if (secret !== undefined && secret.length < MIN_SECRET_LENGTH)
    throw new Error(
      `the secret of ${adminSecretFile ?? 'PLC_ADMIN_SECRET'} has ${secret.length} characters: at least ${MIN_SECRET_LENGTH} are needed, such as of openssl rand -hex 16`,
    )
  return secret
}

function webhooksOf({ alertWebhook, alertDids, alertSecretFile, databaseFile }: Config<typeof plcConfig>) {
  if (alertWebhook === undefined) return []
  const beside = (name: string) => join(dirname(databaseFile), name)
  return [
    {
      url: alertWebhook,
      secret: readOrCreateSecret(alertSecretFile ?? beside('alert.secret')),
      dids: alertDids.length === 0 ? undefined : new Set(alertDids),
      cursor: createDurableFile(beside('alert.cursor')),
    },
  ]
}

function transparencyOf({ logOrigin, logSeedFile, logPolicyFile, databaseFile }: Config<typeof plcConfig>) {
  if (logOrigin === undefined) return undefined
  const beside = (name: string) => join(dirname(databaseFile), name)
  return {
    origin: logOrigin,
    seed: readOrCreateSecret(logSeedFile ?? beside('log.seed')),
    checkpointFile: beside('log.checkpoint'),
    policy:
      logPolicyFile === undefined
        ? undefined
        : parseTrustPolicy(textOf('PLC_LOG_POLICY_FILE', logPolicyFile)),
  }
}

/** What lies in the file that a setting names. */
function textOf(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`${setting} is ${path}, which cannot be read: ${(cause as Error).message}`, { cause })
  }
}
