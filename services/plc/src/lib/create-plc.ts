import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Connection, Metrics, UpgradeHandler } from '@imago/service'
import { Reply } from '@imago/xrpc/server'
import { createAddressLimits } from './address-limits.ts'
import { startWebhook, type WebhookOptions } from './alerts/webhook.ts'
import { lockDatabase } from './database-lock.ts'
import { createApp } from './http/app.ts'
import { openExportStream } from './http/export-stream.ts'
import { createPlcMetrics } from './plc-metrics.ts'
import { openReplica, type Replica, type ReplicaOptions } from './replica/open-replica.ts'
import { openSnapshots, type Snapshots, type SnapshotsOptions } from './snapshot/snapshots.ts'
import type { PlcStore } from './store/plc-store.ts'
import { openPostgresPlcStore } from './store/postgres-plc-store.ts'
import { openSqlitePlcStore } from './store/sqlite-plc-store.ts'
import { deriveLogKeys } from './transparency/log-keys.ts'
import { openTransparency, type TransparencyOptions } from './transparency/open-transparency.ts'
import type { TransparencyLog } from './transparency/transparency-log.ts'
import { createGrowTree } from './transparency/tree-growth.ts'

export interface PlcOptions {
  /** Path of the database, made with its folder if absent; `:memory:` for a directory that is forgotten. */
  readonly databaseFile: string
  /** Address of a PostgreSQL database, to be used in place of the file. */
  readonly databaseUrl?: string | undefined
  /** Milliseconds since the Unix epoch. Default: the system clock. */
  readonly now?: () => number
  /** Whether a DID may change only 10 times an hour, 30 a day and 100 a week. Default true. */
  readonly writeLimits?: boolean
  /** Submissions from one address in five minutes. Default: as many as come. */
  readonly addressLimit?: number | undefined
  /** Where changes of keys are told. */
  readonly webhooks?: readonly Omit<WebhookOptions, 'fetch' | 'onFailure'>[] | undefined
  /** Goes to the webhooks: addresses that the operator chose. Default: the platform's. */
  readonly fetch?: typeof fetch
  /** What opens the admin methods. Default: nothing does. */
  readonly adminSecret?: string | undefined
  /** Status for a DID that has changed too often. Default 429; the public directory answers 400. */
  readonly writeLimitStatus?: 429 | 400
  /** Status for the document of a DID that has ended. Default 410, as specified; the public directory answers 404. */
  readonly tombstoneStatus?: 410 | 404
  /** Follow another directory, and take no operations. Default: be an authority. */
  readonly replica?: ReplicaOptions | undefined
  /** The transparency log that the directory keeps. Without it, it keeps none. */
  readonly transparency?: TransparencyOptions | undefined
  /** Where bundles of the log lie for replicas that begin. Default: none are made, as without `transparency`. */
  readonly snapshots?: SnapshotsOptions | undefined
  /** What `/_health` names. */
  readonly version?: string
  /** Where to register what an operator watches. Default: nowhere. */
  readonly metrics?: Metrics
  /** Where failures of our own go. A logger of `@imago/service` fits. */
  readonly logger?: {
    error(fields: object, message: string): void
    warn?(fields: object, message: string): void
    info?(fields: object, message: string): void
  }
}

const ADDRESS_WINDOW_MS = 5 * 60_000

/** Wrong secrets from one address, in the same time. */
const ADMIN_TRIES = 10

/** A running did:plc directory, without a socket: pass `fetch`, `answer` and `upgrade` to `serve`, or call them. */
export interface Plc extends AsyncDisposable {
  /** @param connection says from where the request comes. */
  fetch(request: Request, connection?: Partial<Connection>): Promise<Response>
  /** The same answer, at less cost for whoever owns the socket. */
  answer(request: Request, connection?: Partial<Connection>): Promise<Reply | Response>
  readonly upgrade: UpgradeHandler
  /** What it keeps, for other parts of the same process. */
  readonly store: PlcStore
  readonly transparencyLog: TransparencyLog | undefined
  /** Bundles that it keeps for replicas; `undefined` where it keeps none. */
  readonly snapshots: Snapshots | undefined
  /** How it follows its upstream; `undefined` for an authority. */
  readonly replica: Replica | undefined
}

/**
 * Opens a directory. Close it with `Symbol.asyncDispose`, after the server that uses it.
 * @throws {DatabaseInUseError} when another process works on the database.
 * @see https://web.plc.directory/spec/v0.1/did-plc
 */
export async function createPlc(options: PlcOptions): Promise<Plc> {
  const { databaseFile, now = Date.now, writeLimits = true, version = '0.1.0', logger } = options
  if (databaseFile !== ':memory:') mkdirSync(dirname(databaseFile), { recursive: true })
  await using opened = new AsyncDisposableStack()
  if (databaseFile !== ':memory:' && options.databaseUrl === undefined) opened.use(lockDatabase(databaseFile))
  const keys =
    options.transparency && deriveLogKeys(options.transparency.origin, options.transparency.seed, now)
  const growTree = keys && createGrowTree(keys.ed25519.name, keys.ed25519)
  const kept = { now, growTree, isReplica: options.replica !== undefined }
  const store = opened.use(
    options.databaseUrl === undefined
      ? openSqlitePlcStore({ ...kept, databaseFile })
      : await openPostgresPlcStore({
          ...kept,
          databaseUrl: options.databaseUrl,
          onConnectionLost: (error) => logger?.warn?.({ err: error }, 'a connection to the database broke'),
        }),
  )
  const stream = opened.use(await openExportStream(store, now))
  const transparency =
    keys && opened.use(await openTransparency({ ...options.transparency!, store, keys, now, logger }))
  const snapshots =
    transparency &&
    options.snapshots &&
    opened.use(
      openSnapshots({
        ...options.snapshots,
        store,
        onFailure: (error) => logger?.error({ err: error }, 'a bundle of the snapshot was not made'),
      }),
    )
  const replica =
    options.replica &&
    opened.use(openReplica({ ...options.replica, store, now, logger, metrics: options.metrics }))
  for (const webhook of options.webhooks ?? [])
    opened.use(
      startWebhook(store, {
        ...webhook,
        fetch: options.fetch ?? fetch,
        onFailure: (error) =>
          logger?.warn?.({ url: webhook.url, err: error }, 'an alert was not delivered yet'),
      }),
    )
  const app = createApp({
    store,
    now,
    addressLimits:
      options.addressLimit === undefined
        ? undefined
        : createAddressLimits({ max: options.addressLimit, windowMs: ADDRESS_WINDOW_MS, now }),
    admin: {
      secret: options.adminSecret,
      tries: createAddressLimits({ max: ADMIN_TRIES, windowMs: ADDRESS_WINDOW_MS, now }),
    },
    transparency,
    snapshots,
    replica,
    version,
    writeLimits,
    metrics:
      options.metrics && createPlcMetrics(options.metrics, { store, consumers: () => stream.consumers }),
    statuses: { writeLimit: options.writeLimitStatus ?? 429, tombstone: options.tombstoneStatus ?? 410 },
    onUnexpectedError: (error) => logger?.error({ err: error }, 'request failed'),
  })
  const resources = opened.move()
  return {
    store,
    transparencyLog: transparency?.log,
    snapshots,
    replica,
    async fetch(request, connection) {
      const reply = await app.answer(request, connection)
      return reply instanceof Reply ? reply.toResponse() : reply
    },
    answer: app.answer,
    upgrade: stream.upgrade,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
