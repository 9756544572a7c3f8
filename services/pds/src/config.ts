import { tryParseDidKey } from '@imago/crypto'
import {
  bool,
  bytes,
  type Config,
  choice,
  defineConfig,
  duration,
  integer,
  type Kind,
  list,
  loadConfig,
  port,
  text,
  url,
} from '@imago/service'
import { type Did, isDid, tryParseUri, type Uri } from '@imago/syntax'
import type { PdsConfig } from './pds-options.ts'
import { settingsWithoutEffect, withoutEffect } from './settings-without-effect.ts'

const did: Kind<Did> = {
  name: 'DID such as did:web:pds.example.com',
  parse: (value) => (isDid(value) ? value : undefined),
  format: (value) => value,
}

const uri: Kind<Uri> = {
  name: url.name,
  parse: (value) => tryParseUri(url.parse(value)),
  format: (value) => value,
}

const didKey: Kind<string> = {
  name: 'did:key of P-256 or K-256',
  parse: (value) => tryParseDidKey(value)?.didKey,
  format: (value) => value,
}

const secretKey: Kind<Uint8Array> = {
  name: 'secret key of 64 hexadecimal digits',
  parse: (value) => (/^[0-9a-f]{64}$/i.test(value) ? Uint8Array.fromHex(value) : undefined),
  format: (value) => value.toHex(),
}

const handleDomain: Kind<string> = {
  name: 'domain with a leading dot, such as .example.com',
  parse: (value) => (/^(\.[a-z0-9-]+)+$/i.test(value) ? value.toLowerCase() : undefined),
  format: (value) => value,
}

/** Settings of the service. Names and meanings are those of the reference, so that its environment files work here. */
export const pdsSettings = defineConfig('PDS_', {
  hostname: {
    env: 'PDS_HOSTNAME',
    kind: text,
    default: 'localhost',
    doc: 'Public host name. Handles end in it unless PDS_SERVICE_HANDLE_DOMAINS says otherwise. With localhost, the server is reached over http on its port; with any other, over https.',
  },
  port: { env: 'PDS_PORT', kind: port, default: 2583, doc: 'Port to listen on.' },
  dataDirectory: {
    env: 'PDS_DATA_DIRECTORY',
    kind: text,
    default: './data/pds',
    doc: 'Folder of the database. It holds signing keys: keep it private, and in backups.',
  },
  blobsDirectory: {
    env: 'PDS_BLOBSTORE_DISK_LOCATION',
    kind: text,
    doc: 'Folder of blobs. Default: blobs in the data directory.',
  },
  blobsBucket: {
    env: 'PDS_BLOBSTORE_S3_BUCKET',
    kind: text,
    doc: 'Bucket of blobs, in S3 or a server that speaks as it does. In place of PDS_BLOBSTORE_DISK_LOCATION.',
  },
  blobsRegion: {
    env: 'PDS_BLOBSTORE_S3_REGION',
    kind: text,
    doc: 'Region of the bucket. Default: us-east-1.',
  },
  blobsEndpoint: {
    env: 'PDS_BLOBSTORE_S3_ENDPOINT',
    kind: url,
    doc: 'Address of the S3 server, unless it is the one of Amazon.',
  },
  blobsPathStyle: {
    env: 'PDS_BLOBSTORE_S3_FORCE_PATH_STYLE',
    kind: bool,
    default: false,
    doc: 'Names the bucket in the path instead of the host name, which most servers other than the one of Amazon want.',
  },
  blobsAccessKeyId: {
    env: 'PDS_BLOBSTORE_S3_ACCESS_KEY_ID',
    kind: text,
    doc: 'Key for the bucket. Default: where the tools of Amazon look for one.',
  },
  blobsSecretAccessKey: {
    env: 'PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY',
    kind: text,
    secret: true,
    doc: 'Secret of that key.',
  },
  blobsUploadTimeout: {
    env: 'PDS_BLOBSTORE_S3_UPLOAD_TIMEOUT_MS',
    kind: duration,
    default: 60_000,
    doc: 'Longest time in which the S3 server takes in one part (8 MiB) of an upload. How slowly the client sends does not matter.',
  },
  blobsRequestTimeout: {
    env: 'PDS_BLOBSTORE_S3_REQUEST_TIMEOUT_MS',
    kind: duration,
    default: 15_000,
    doc: 'Longest wait for an answer of the S3 server, and for the next piece of a blob.',
  },
  blobsPrefix: {
    env: 'PDS_BLOBSTORE_S3_PREFIX',
    kind: text,
    doc: 'Put before the name of every object, such as pds/, so that several servers can share a bucket.',
  },
  blobQuota: {
    env: 'PDS_BLOB_QUOTA',
    kind: bytes,
    doc: 'Most bytes of blobs that one account may store. Default: no bound.',
  },
  blobCountQuota: {
    env: 'PDS_BLOB_QUOTA_COUNT',
    kind: integer(),
    doc: 'Most blobs that one account may store. Default: no bound.',
  },
  blobUploadLimit: {
    env: 'PDS_BLOB_UPLOAD_LIMIT',
    kind: bytes,
    default: 5 * 1024 * 1024,
    doc: 'Largest blob that can be uploaded.',
  },
  acceptsImports: {
    env: 'PDS_ACCEPTING_REPO_IMPORTS',
    kind: bool,
    default: true,
    doc: 'Take in repositories from elsewhere, of accounts that move here.',
  },
  maxImportSize: {
    env: 'PDS_MAX_REPO_IMPORT_SIZE',
    kind: bytes,
    default: 2 * 1024 ** 3,
    doc: 'Largest repository that is taken in. It takes about three times as much of the disk while that lasts.',
  },
  serviceDid: {
    env: 'PDS_SERVICE_DID',
    kind: did,
    doc: 'DID of the server. Default: the did:web of its host name.',
  },
  serviceHandleDomains: {
    env: 'PDS_SERVICE_HANDLE_DOMAINS',
    kind: list(handleDomain),
    doc: 'Domains under which people choose handles. Default: .test for localhost, the host name otherwise.',
  },
  jwtSecret: {
    env: 'PDS_JWT_SECRET',
    kind: text,
    required: true,
    secret: true,
    doc: 'Signs sessions: whoever has it can sign in as anyone. At least 16 random characters, such as of openssl rand --hex 16.',
  },
  adminPassword: {
    env: 'PDS_ADMIN_PASSWORD',
    kind: text,
    secret: true,
    doc: 'Password of the user admin for admin methods. Without one they are closed.',
  },
  plcRotationKey: {
    env: 'PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX',
    kind: secretKey,
    required: true,
    secret: true,
    doc: 'K-256 key that signs changes to the DIDs of all accounts here. Losing it means that they can never be changed again.',
  },
  recoveryDidKey: {
    env: 'PDS_RECOVERY_DID_KEY',
    kind: didKey,
    doc: "The operator's own key, kept elsewhere: new accounts list it above the rotation key.",
  },
  plcUrl: {
    env: 'PDS_DID_PLC_URL',
    kind: url,
    default: 'https://plc.directory',
    doc: 'PLC directory.',
  },
  crawlers: {
    env: 'PDS_CRAWLERS',
    kind: list(url),
    default: [],
    doc: 'Relays that are asked to read the stream, such as https://bsky.network. Without one, nobody beyond this server sees its posts.',
  },
  inviteRequired: {
    env: 'PDS_INVITE_REQUIRED',
    kind: bool,
    doc: 'Take invited people only. Default: no; on a server that was taken over, what the reference PDS did. Invite codes are not issued yet, so that this closes sign-up.',
  },
  replayWindow: {
    env: 'PDS_REPO_BACKFILL_LIMIT_MS',
    kind: duration,
    default: 24 * 3_600_000,
    doc: 'How long events of the stream can be replayed.',
  },
  sequenceStart: {
    env: 'PDS_SEQUENCE_START',
    kind: integer(),
    doc: 'Events of the stream get numbers above this one, which also lifts a stream that is below it. Default: a new stream begins at the time in milliseconds, which no earlier one on this host name has reached; an old one goes on.',
  },
  privacyPolicyUrl: { env: 'PDS_PRIVACY_POLICY_URL', kind: uri, doc: 'Shown to people who sign up.' },
  termsOfServiceUrl: { env: 'PDS_TERMS_OF_SERVICE_URL', kind: uri, doc: 'Shown to people who sign up.' },
  contactEmail: { env: 'PDS_CONTACT_EMAIL_ADDRESS', kind: text, doc: 'Where people reach the operator.' },
  appViewUrl: withoutEffect('PDS_BSKY_APP_VIEW_URL', 'nothing is passed on to an app view'),
  appViewDid: withoutEffect('PDS_BSKY_APP_VIEW_DID', 'nothing is passed on to an app view'),
  reportServiceUrl: withoutEffect('PDS_REPORT_SERVICE_URL', 'reports are not taken'),
  reportServiceDid: withoutEffect('PDS_REPORT_SERVICE_DID', 'reports are not taken'),
  emailSmtpUrl: withoutEffect('PDS_EMAIL_SMTP_URL', 'no mail is sent'),
  emailFromAddress: withoutEffect('PDS_EMAIL_FROM_ADDRESS', 'no mail is sent'),
  rateLimitsEnabled: withoutEffect('PDS_RATE_LIMITS_ENABLED', 'there are no rate limits'),
  ...settingsWithoutEffect,
  metricsPort: {
    env: 'PDS_METRICS_PORT',
    kind: port,
    doc: 'Port for Prometheus on the loopback interface. Not served unless set.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    kind: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    doc: 'Least weight of what is logged.',
  },
})

export type PdsSettings = Config<typeof pdsSettings>

const WITHOUT_EFFECT = [
  'appViewUrl',
  'appViewDid',
  'reportServiceUrl',
  'reportServiceDid',
  'emailSmtpUrl',
  'emailFromAddress',
  'rateLimitsEnabled',
  ...(Object.keys(settingsWithoutEffect) as (keyof typeof settingsWithoutEffect)[]),
] as const satisfies (keyof PdsSettings)[]

const MIN_SECRET_LENGTH = 16

/**
 * The settings of an environment, what they come to, and the names of those that were set in vain.
 * @throws {ConfigError} that lists everything that is wrong with them.
 * @throws {TypeError} when the settings are good one by one, and do not fit together.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): {
  settings: PdsSettings
  config: PdsConfig
  withoutEffect: readonly string[]
} {
  const settings = loadConfig(pdsSettings, env)
  const inVain = WITHOUT_EFFECT.filter((name) => settings[name] !== undefined)
  return {
    settings,
    config: configOf(settings),
    withoutEffect: inVain.map((name) => pdsSettings.settings[name].env),
  }
}

function configOf(settings: PdsSettings): PdsConfig {
  const { hostname, port, jwtSecret, dataDirectory } = settings
  if (jwtSecret.length < MIN_SECRET_LENGTH)
    throw new TypeError(
      `PDS_JWT_SECRET has ${jwtSecret.length} characters: at least ${MIN_SECRET_LENGTH} are needed, such as of openssl rand --hex 16`,
    )
  const isLocal = hostname === 'localhost'
  const publicUrl = isLocal ? `http://localhost:${port}` : `https://${hostname}`
  return {
    dataDirectory,
    blobsDirectory: settings.blobsDirectory ?? `${dataDirectory}/blobs`,
    blobsBucket: bucketOf(settings),
    publicUrl,
    serviceDid: settings.serviceDid ?? `did:web:${encodeURIComponent(new URL(publicUrl).host)}`,
    handleDomains: settings.serviceHandleDomains ?? [isLocal ? '.test' : `.${hostname}`],
    jwtSecret,
    adminPassword: settings.adminPassword,
    plcRotationKey: settings.plcRotationKey,
    recoveryDidKey: settings.recoveryDidKey,
    plcUrl: settings.plcUrl,
    crawlers: settings.crawlers,
    inviteRequired: settings.inviteRequired,
    blobUploadLimitBytes: settings.blobUploadLimit,
    blobQuota: { maxBytes: settings.blobQuota, maxCount: settings.blobCountQuota },
    acceptsImports: settings.acceptsImports,
    maxImportBytes: settings.maxImportSize,
    replayWindowMs: settings.replayWindow,
    sequenceStart: settings.sequenceStart,
    privacyPolicyUrl: settings.privacyPolicyUrl,
    termsOfServiceUrl: settings.termsOfServiceUrl,
    contactEmail: settings.contactEmail,
  }
}

function bucketOf(settings: PdsSettings): PdsConfig['blobsBucket'] {
  const { blobsBucket: bucket, blobsDirectory, blobsAccessKeyId, blobsSecretAccessKey } = settings
  if (bucket === undefined) return undefined
  if (blobsDirectory !== undefined)
    throw new TypeError(
      `PDS_BLOBSTORE_S3_BUCKET is ${bucket} and PDS_BLOBSTORE_DISK_LOCATION is ${blobsDirectory}: blobs lie in one place, so set only one of them`,
    )
  if ((blobsAccessKeyId === undefined) !== (blobsSecretAccessKey === undefined))
    throw new TypeError(
      'of PDS_BLOBSTORE_S3_ACCESS_KEY_ID and PDS_BLOBSTORE_S3_SECRET_ACCESS_KEY one is missing: set both, or neither',
    )
  return {
    bucket,
    region: settings.blobsRegion,
    endpoint: settings.blobsEndpoint,
    forcePathStyle: settings.blobsPathStyle,
    accessKeyId: blobsAccessKeyId,
    secretAccessKey: blobsSecretAccessKey,
    prefix: settings.blobsPrefix,
    requestTimeoutMs: settings.blobsRequestTimeout,
    uploadTimeoutMs: settings.blobsUploadTimeout,
  }
}
