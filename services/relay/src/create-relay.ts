import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { methodNsids } from '@imago/atproto'
import { CursorError, createFanOut } from '@imago/log'
import { openSegmentLog } from '@imago/log/segments'
import { invalidRequest } from '@imago/xrpc'
import { createXrpcServer, type Upgrade } from '@imago/xrpc/server'
import { pages } from './api/pages.ts'
import { routes } from './api/routes.ts'
import { openSocket } from './api/socket.ts'
import { createAskHost, SERVER_HEADER } from './hosts/ask-host.ts'
import { createHosts } from './hosts/hosts.ts'
import { createDrops, type Drops } from './ingest/drops.ts'
import { createIdentities } from './ingest/identities.ts'
import { createIntake, createIntakeMetrics } from './ingest/intake.ts'
import { createJudge } from './ingest/judge.ts'
import { createLanes } from './ingest/lanes.ts'
import { createLedger } from './ingest/ledger.ts'
import type { RelayOptions } from './relay-options.ts'
import { recoverState } from './state/recover.ts'
import { openSqliteStateStore } from './state/state-store-sqlite.ts'

/** A relay without a socket of its own: give `fetch` and `upgrade` to whoever listens. */
export interface Relay extends AsyncDisposable {
  /** Answers any HTTP request; never rejects. */
  fetch(request: Request): Promise<Response>
  /** Answers a WebSocket handshake. */
  upgrade(request: Request): Upgrade | Response
  /** Removes events past the replay window. Runs hourly by itself. */
  prune(): Promise<number>
  /** Why events about an account were not passed on lately. */
  readonly drops: Pick<Drops, 'about'>
  /** Number of the newest event that was passed on. */
  readonly head: number
}

const HOUR_MS = 60 * 60_000

/**
 * Opens a relay on its files, brings its state up to its log, and begins to read its hosts. Two of them must not share
 * files.
 * @throws {LogError} when the log is damaged or in use; {Error} when the database cannot be used.
 */
export async function createRelay(options: RelayOptions): Promise<Relay> {
  const { config, now, directory, logger, metrics, wrapState = (state) => state } = options
  const { initialSeq = 1, replayWindowMs = 72 * HOUR_MS, hostConcurrency = 40 } = config
  await using opened = new AsyncDisposableStack()

  if (config.databaseFile !== ':memory:') mkdirSync(dirname(config.databaseFile), { recursive: true })
  const state = wrapState(opened.use(openSqliteStateStore(config.databaseFile)))
  const log = opened.use(
    await openSegmentLog({
      folder: config.logFolder,
      now,
      // A state that knows of numbers which its log has lost must not see them given again.
      startAfter: Math.max(initialSeq - 1, state.covered),
    }),
  )
  const recovered = await recoverState(log, state, now())
  if (recovered > 0) logger.info({ entries: recovered }, 'took over events of the log that the state lacked')
  const stream = opened.use(createFanOut(log, { opcode: 'binary' }))

  const drops = createDrops({ logger, metrics, now })
  const askHost = createAskHost(options.fetch)
  const ledger = createLedger({
    log,
    state,
    onFailure(error) {
      hosts[Symbol.dispose]()
      logger.fatal({ err: error }, 'events cannot be made durable: nothing is read any more')
      options.onFailure?.(error)
    },
  })
  const judge = createJudge({
    account: ledger.account,
    askStatus: askHost.status,
    now,
    lenient: config.lenientSyncValidation ?? false,
  })
  const lanes = createLanes()
  const identities = createIdentities({ directory, now, hostConcurrency })
  const intakeMetrics = createIntakeMetrics(metrics)
  opened.defer(() => ledger.close())
  const hosts = opened.use(
    createHosts({
      state,
      intakeFor: (position) =>
        createIntake({
          position,
          identities: identities.forHost(),
          judge,
          lanes,
          ledger,
          drops,
          metrics: intakeMetrics,
          logger,
        }),
      open: options.openWebSocket,
      schedule: options.dialSchedule ?? {},
      now,
      logger,
    }),
  )

  const xrpc = createXrpcServer({
    methods: routes({
      hosts,
      askHost,
      state,
      account: ledger.account,
      stream,
      crawling: {
        open: config.requestCrawl ?? true,
        newHostsPerDay: config.newHostsPerDay ?? 50,
        allowInsecure: config.allowInsecureHosts ?? false,
      },
      now,
    }),
    knownNsids: methodNsids,
    mapError: (error) =>
      error instanceof CursorError ? invalidRequest(error.message, error.code) : undefined,
    checkOutput: options.checkOutput ?? false,
    onUnexpectedError: (error, { nsid }) => logger.error({ err: error, nsid }, 'a method failed'),
  })
  const about = pages({ isHealthy: () => ledger.failure === undefined && succeeds(() => state.probe()) })

  const prune = () => log.prune(now() - replayWindowMs)
  const pruning = setInterval(() => {
    prune().catch((error) => logger.error({ err: error }, 'old events could not be removed'))
  }, HOUR_MS)
  pruning.unref()
  opened.defer(() => clearInterval(pruning))

  hosts.start()
  const resources = opened.move()
  return {
    async fetch(request) {
      const { pathname } = new URL(request.url)
      const isMethod = pathname.startsWith('/xrpc/') && !pathname.startsWith('/xrpc/_')
      const response = await (isMethod ? xrpc.fetch(request) : about.fetch(request))
      response.headers.set('server', SERVER_HEADER)
      return response
    },
    upgrade: (request) => openSocket(xrpc, request),
    prune,
    drops,
    get head() {
      return log.head
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function succeeds(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
