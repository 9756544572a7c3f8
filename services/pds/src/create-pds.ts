import { join } from 'node:path'
import { com, methodNsids } from '@imago/atproto'
import { importKeypair } from '@imago/crypto'
import { createFanOut } from '@imago/log'
import { createWalCheckpoints } from '@imago/log/checkpoints'
import { openSqliteLog } from '@imago/log/sqlite'
import { createTidClock, type Did } from '@imago/syntax'
import { createXrpcServer, Reply, type XrpcServer } from '@imago/xrpc/server'
import { createAccountArrival } from './accounts/account-arrival.ts'
import { withAccountCache } from './accounts/account-cache.ts'
import { createAccountCreation } from './accounts/account-creation.ts'
import { createSqliteAccountStatus } from './accounts/account-status.ts'
import { createSqliteAccountStore } from './accounts/account-store-sqlite.ts'
import { removeExpiredAccounts } from './accounts/expired-accounts.ts'
import { createPasswords } from './accounts/password.ts'
import { createSqliteReservedKeys } from './accounts/reserved-keys.ts'
import { assertInService, readAdoptionState } from './adopt/adoption-state.ts'
import { createAuthentication } from './api/authentication.ts'
import { createExportWatch } from './api/export-watch.ts'
import { mapError } from './api/map-error.ts'
import type { Ports } from './api/ports.ts'
import { routes } from './api/routes.ts'
import { wellKnown } from './api/well-known.ts'
import { reannounceRestored } from './backup/reannounce.ts'
import { createSqliteBlobIndex } from './blobs/blob-index-sqlite.ts'
import { openBlobStore } from './blobs/blob-store.ts'
import { createBlobs } from './blobs/blobs.ts'
import { makeDataDirectory } from './database/data-directory.ts'
import { lockDataDirectory } from './database/data-directory-lock.ts'
import { DATABASE_FILE, openDatabase } from './database/database.ts'
import { readRestored } from './database/restored-state.ts'
import { startCrawlRequests } from './events/crawl-requests.ts'
import { faultOfCommit } from './events/self-check.ts'
import { EVENT_TABLE, newSequence, sequenceHead } from './events/sequence.ts'
import { createSqliteDidWebHistory } from './identity/did-web-history-sqlite.ts'
import { createPlcClient } from './identity/plc-client.ts'
import { createSqliteImportStore } from './imports/import-store-sqlite.ts'
import { createImports } from './imports/imports.ts'
import { startMaintenance } from './maintenance.ts'
import type { PdsConfig, PdsPorts } from './pds-options.ts'
import { createRecordSchemas, type RecordSchemas } from './records/record-schemas.ts'
import { createSqliteRepoStore } from './repos/repo-store-sqlite.ts'
import { createRepoWriter } from './repos/repo-writer.ts'
import { createSqliteRefreshTokenStore } from './sessions/refresh-token-store-sqlite.ts'
import { createSessionTokens } from './sessions/session-tokens.ts'
import { createSessions } from './sessions/sessions.ts'
import { VERSION } from './version.ts'

/** A personal data server without a socket: give `fetch` and `upgrade` to whoever listens. */
export interface Pds extends AsyncDisposable {
  /** Answers any HTTP request; never rejects. */
  fetch(request: Request): Promise<Response>
  /** The same answer, at less cost for whoever owns the socket. */
  answer(request: Request): Promise<Reply | Response>
  /** Answers a WebSocket handshake. */
  upgrade: XrpcServer['upgrade']
  /** Asks the crawlers to come. Call it when the server listens. */
  announce(): void
  /** Prunes events past the replay window, and uploads that nothing came to refer to. Runs hourly by itself. */
  maintain(): Promise<void>
}

/**
 * Opens a PDS on its data directory, which is its own until it is disposed of.
 * @throws {DataDirectoryInUseError} when another process works on the directory.
 * @throws {Error} when the directory cannot be used, was written by a newer version, or a key is not valid.
 */
export async function createPds(config: PdsConfig, ports: PdsPorts): Promise<Pds> {
  const { now, randomBytes, logger, metrics, directory } = ports
  const randomId = () => randomBytes(16).toHex()
  await using opened = new AsyncDisposableStack()

  makeDataDirectory(config.dataDirectory)
  opened.use(lockDataDirectory(config.dataDirectory))
  const database = opened.use(openDatabase(join(config.dataDirectory, DATABASE_FILE)))
  const checkpoints = opened.use(
    createWalCheckpoints({
      db: database.sqlite,
      onFailure: (error) =>
        logger.error({ err: error }, 'a checkpoint of the database failed: its WAL grows until one succeeds'),
    }),
  )
  database.onWrite(checkpoints.beforeWrite)
  assertInService(database.sqlite)
  const didWebs = opened.use(
    createSqliteDidWebHistory(database, {
      onFailure: (error) => logger.warn({ err: error }, 'did:web documents could not be kept'),
    }),
  )
  directory.rememberIn?.(didWebs)
  const startAfter = config.sequenceStart ?? (sequenceHead(database) === undefined ? newSequence(now()) : 0)
  const log = opened.use(openSqliteLog(database.sqlite, { table: EVENT_TABLE, now, startAfter }))
  const stream = opened.use(createFanOut(log, { opcode: 'binary' }))
  const { files } = opened.use(await openBlobStore(config))
  // The folder is this process's alone: what broke off uploads left there before it started is nobody's.
  if (config.blobsBucket === undefined) await files.sweep(Number.POSITIVE_INFINITY)

  const clockId = new DataView(randomBytes(2).buffer).getUint16(0) & 0x3ff
  const clock = createTidClock({ nowMicros: () => now() * 1000, clockId })
  const announced = await reannounceRestored({ database, log, clock, now })
  if (announced > 0) logger.info({ repos: announced }, 'announced every repository anew after a restore')
  const repos = createSqliteRepoStore(database, log)
  const accountStore = createSqliteAccountStore(database, log, repos, (did) => stream.forget(did))
  const accounts = withAccountCache(ports.wrapAccountStore?.(accountStore) ?? accountStore, database)
  const blobIndex = opened.use(createSqliteBlobIndex(database, repos))
  const blobs = createBlobs({
    files,
    index: blobIndex,
    now,
    maxBytes: config.blobUploadLimitBytes,
    restored: readRestored(database.sqlite),
    quota: {
      maxBytes: config.blobQuota?.maxBytes ?? Number.POSITIVE_INFINITY,
      maxCount: config.blobQuota?.maxCount ?? Number.POSITIVE_INFINITY,
    },
    onRemovalFailure: ({ did, cid }, error) =>
      logger.warn({ did, cid: String(cid), err: error }, 'the bytes of a blob could not be removed yet'),
  })

  const unfitCommits = metrics.counter({
    name: 'unfit_commits_total',
    help: 'Commits of our own that did not pass our checks, and went out as #sync.',
  })
  const writer = opened.use(
    createRepoWriter({
      store: ports.wrapRepoStore?.(repos) ?? repos,
      clock,
      now,
      selfCheck:
        ports.selfCheck ?? ((event, before) => faultOfCommit(event, before, before.keypair.publicKey, now())),
      onUnfitCommit(did, fault) {
        unfitCommits.inc()
        logger.error({ did, fault }, 'a commit of our own did not pass our checks: sent #sync in its place')
      },
    }),
  )
  repos.onReplaced((did) => writer.forget(did))

  const cutExports = metrics.counter({
    name: 'cut_exports_total',
    help: 'Exports of repositories that ended early because their readers were too slow.',
  })
  const exports = opened.use(
    createExportWatch({
      now,
      limits: ports.exportLimits,
      onCut(error) {
        cutExports.inc()
        logger.warn({ err: error }, 'cut an export')
      },
    }),
  )

  const passwords = createPasswords({ randomBytes, cost: ports.scryptCost })
  const tokens = createSessionTokens({
    secret: config.jwtSecret,
    serviceDid: config.serviceDid,
    now,
    randomId,
  })
  const sessions = createSessions({ tokens, store: createSqliteRefreshTokenStore(database), now, randomId })
  const rotationKeypair = importKeypair('k256', config.plcRotationKey)
  const plc = ports.plc ?? createPlcClient({ url: config.plcUrl, fetch: ports.fetch })
  const accountCreation = createAccountCreation({
    accounts,
    passwords,
    plc,
    clock,
    now,
    rotationKeypair,
    recoveryKeys: config.recoveryDidKey === undefined ? [] : [config.recoveryDidKey],
    publicUrl: config.publicUrl,
    onOrphanedDid: (did: Did, error: unknown) =>
      logger.error({ did, err: error }, 'the DID of an account that failed could not be tombstoned'),
  })

  const reservedKeys = createSqliteReservedKeys(database, now)
  const importStore = createSqliteImportStore(database, repos, log)
  const imports = opened.use(
    createImports({
      repos,
      store: ports.wrapImportStore?.(importStore) ?? importStore,
      directory,
      plc,
      clock,
      now,
      randomId,
      dataDirectory: config.dataDirectory,
      maxBytes: config.maxImportBytes,
      logger,
    }),
  )
  imports.sweep()

  const server: Ports['server'] = {
    did: config.serviceDid,
    handleDomains: config.handleDomains,
    publicUrl: config.publicUrl,
    blobUploadLimitBytes: config.blobUploadLimitBytes,
    acceptsImports: config.acceptsImports,
    maxImportBytes: config.maxImportBytes,
    privacyPolicyUrl: config.privacyPolicyUrl,
    termsOfServiceUrl: config.termsOfServiceUrl,
    contactEmail: config.contactEmail,
    inviteRequired: config.inviteRequired ?? readAdoptionState(database.sqlite)?.inviteRequired ?? false,
    rotationKey: rotationKeypair.didKey,
    recoveryKeys: config.recoveryDidKey === undefined ? [] : [config.recoveryDidKey],
  }
  const authentication = createAuthentication({ tokens, accounts, adminPassword: config.adminPassword })
  const methods = routes({
    server,
    authentication,
    accounts,
    accountCreation,
    accountArrival: createAccountArrival({ accounts, passwords, reservedKeys, clock, now }),
    reservedKeys,
    passwords,
    sessions,
    repos,
    writer,
    findRecordSchema: createRecordSchemas(schemasOf(ports.recordSchemas), ports.lexicons),
    blobs,
    blobIndex,
    imports,
    accountStatus: createSqliteAccountStatus(database, repos),
    plc,
    directory,
    stream,
    exports,
    clock,
    randomId,
    now,
  })
  const xrpc = createXrpcServer({
    methods,
    knownNsids: methodNsids,
    mapError,
    checkOutput: ports.checkOutput,
    onUnexpectedError: (error, { nsid }) => logger.error({ err: error, nsid }, 'a method failed'),
  })
  const probe = database.sqlite.prepare('SELECT 1')
  const pages = wellKnown({
    accounts,
    server,
    isHealthy: () => succeeds(() => probe.get()),
    version: VERSION,
    onUnexpectedError: (error) => logger.error({ err: error }, 'a page failed'),
  })

  const crawlRequests = opened.use(
    startCrawlRequests({
      log,
      crawlers: config.crawlers,
      hostname: new URL(config.publicUrl).host,
      now,
      fetch: ports.fetch,
      onFailure: (crawler, error) =>
        logger.warn({ crawler, err: error }, 'a crawler could not be asked to come'),
    }),
  )
  const maintenance = opened.use(
    startMaintenance({
      log,
      blobs,
      reservedKeys,
      imports,
      removeExpiredAccounts: () => removeExpiredAccounts({ accounts, blobs, now }),
      now,
      replayWindowMs: config.replayWindowMs,
      logger,
    }),
  )

  const answer = async (request: Request) =>
    isMethodCall(request.url) ? xrpc.answer(request) : pages.fetch(request)
  const resources = opened.move()
  return {
    async fetch(request) {
      const reply = await answer(request)
      return reply instanceof Reply ? reply.toResponse() : reply
    },
    answer,
    upgrade: (request) => xrpc.upgrade(request),
    announce: () => crawlRequests.announce(),
    maintain: () => maintenance.run(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Schemas that every PDS knows, then those of the operator. */
function schemasOf(others: RecordSchemas = () => undefined): RecordSchemas {
  const { main } = com.atproto.lexicon.schema
  return (collection) => (collection === main.nsid ? main : others(collection))
}

/** Looks for the path without parsing the address: this runs for every request. */
function isMethodCall(url: string): boolean {
  const path = url.indexOf('/', url.indexOf('://') + 3)
  return url.startsWith('/xrpc/', path) && !url.startsWith('/xrpc/_', path)
}

function succeeds(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
