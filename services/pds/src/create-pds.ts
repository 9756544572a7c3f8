import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { com, methodNsids } from '@imago/atproto'
import { importKeypair } from '@imago/crypto'
import { createFanOut } from '@imago/log'
import { openSqliteLog } from '@imago/log/sqlite'
import { createTidClock, type Did } from '@imago/syntax'
import { createXrpcServer, type XrpcServer } from '@imago/xrpc/server'
import { createAccountCreation } from './accounts/account-creation.ts'
import { createSqliteAccountStore } from './accounts/account-store-sqlite.ts'
import { createPasswords } from './accounts/password.ts'
import { createAuthentication } from './api/authentication.ts'
import { mapError } from './api/map-error.ts'
import type { Ports } from './api/ports.ts'
import { routes } from './api/routes.ts'
import { wellKnown } from './api/well-known.ts'
import { openDiskBlobFiles } from './blobs/blob-files-disk.ts'
import { createSqliteBlobIndex } from './blobs/blob-index-sqlite.ts'
import { createBlobs } from './blobs/blobs.ts'
import { openDatabase } from './database/database.ts'
import { startCrawlRequests } from './events/crawl-requests.ts'
import { faultOfCommit } from './events/self-check.ts'
import { createPlcClient } from './identity/plc-client.ts'
import { startMaintenance } from './maintenance.ts'
import type { PdsConfig, PdsPorts } from './pds-options.ts'
import type { RecordSchemas } from './records/prepare-record.ts'
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
  /** Answers a WebSocket handshake. */
  upgrade: XrpcServer['upgrade']
  /** Asks the crawlers to come. Call it when the server listens. */
  announce(): void
  /** Prunes events past the replay window, and uploads that nothing came to refer to. Runs hourly by itself. */
  maintain(): Promise<void>
}

/**
 * Opens a PDS on its data directory. Two of them must not share one.
 * @throws {Error} when the directory cannot be used, was written by a newer version, or a key is not valid.
 */
export async function createPds(config: PdsConfig, ports: PdsPorts): Promise<Pds> {
  const { now, randomBytes, logger, metrics, directory } = ports
  const randomId = () => randomBytes(16).toHex()
  await using opened = new AsyncDisposableStack()

  mkdirSync(config.dataDirectory, { recursive: true })
  const database = opened.use(openDatabase(join(config.dataDirectory, 'pds.sqlite')))
  const log = opened.use(openSqliteLog(database.sqlite, { table: 'event', now }))
  const stream = opened.use(createFanOut(log, { opcode: 'binary' }))
  const files = await openDiskBlobFiles({ folder: config.blobsDirectory, randomId })

  const clockId = new DataView(randomBytes(2).buffer).getUint16(0) & 0x3ff
  const clock = createTidClock({ nowMicros: () => now() * 1000, clockId })
  const repos = createSqliteRepoStore(database, log)
  const accounts = createSqliteAccountStore(database, log, repos, (did) => stream.forget(did))
  const blobIndex = createSqliteBlobIndex(database, repos)
  const blobs = createBlobs({ files, index: blobIndex, now, maxBytes: config.blobUploadLimitBytes })

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

  const passwords = createPasswords({ randomBytes, cost: ports.scryptCost })
  const tokens = createSessionTokens({
    secret: config.jwtSecret,
    serviceDid: config.serviceDid,
    now,
    randomId,
  })
  const sessions = createSessions({ tokens, store: createSqliteRefreshTokenStore(database), now, randomId })
  const rotationKeypair = importKeypair('k256', config.plcRotationKey)
  const accountCreation = createAccountCreation({
    accounts,
    passwords,
    plc: ports.plc ?? createPlcClient({ url: config.plcUrl, fetch: ports.fetch }),
    clock,
    now,
    rotationKeypair,
    recoveryKeys: config.recoveryDidKey === undefined ? [] : [config.recoveryDidKey],
    publicUrl: config.publicUrl,
    onOrphanedDid: (did: Did, error: unknown) =>
      logger.error({ did, err: error }, 'the DID of an account that failed could not be tombstoned'),
  })

  const server: Ports['server'] = {
    did: config.serviceDid,
    handleDomains: config.handleDomains,
    publicUrl: config.publicUrl,
    blobUploadLimitBytes: config.blobUploadLimitBytes,
    privacyPolicyUrl: config.privacyPolicyUrl,
    termsOfServiceUrl: config.termsOfServiceUrl,
    contactEmail: config.contactEmail,
    inviteRequired: config.inviteRequired,
  }
  const authentication = createAuthentication({ tokens, accounts, adminPassword: config.adminPassword })
  const methods = routes({
    server,
    authentication,
    accounts,
    accountCreation,
    passwords,
    sessions,
    repos,
    writer,
    recordSchemas: schemasOf(ports.recordSchemas),
    blobs,
    blobIndex,
    directory,
    stream,
    clock,
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
    startMaintenance({ log, blobs, now, replayWindowMs: config.replayWindowMs, logger }),
  )

  const resources = opened.move()
  return {
    fetch: async (request) => (isMethodCall(request.url) ? xrpc.fetch(request) : pages.fetch(request)),
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
