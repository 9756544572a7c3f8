import type { Connection } from '@imago/service'
import type { Reply } from '@imago/xrpc/server'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { AddressLimits } from '../address-limits.ts'
import type { SubmissionMetrics } from '../plc-metrics.ts'
import type { Replica } from '../replica/open-replica.ts'
import type { Snapshots } from '../snapshot/snapshots.ts'
import type { PlcStore } from '../store/plc-store.ts'
import type { Publishing } from '../transparency/publishing.ts'
import type { TransparencyLog } from '../transparency/transparency-log.ts'
import { aboutRoutes } from './about-routes.ts'
import { type AdminOptions, adminRoutes } from './admin-routes.ts'
import { alertRoutes } from './alert-routes.ts'
import { EXPOSED_HEADERS, jsonReply, NotRegisteredError, type RefusalStatuses, refusal } from './answers.ts'
import { createDirectAnswers } from './direct-answers.ts'
import { documentRoutes } from './document-routes.ts'
import { createDocuments } from './documents.ts'
import { exportRoutes } from './export-routes.ts'
import { logRoutes } from './log-routes.ts'
import { waitForMinSeq } from './min-seq.ts'
import { pageRoutes } from './page-routes.ts'
import { replicaRoutes } from './replica-routes.ts'
import { snapshotRoutes } from './snapshot-routes.ts'
import { createSubmissions, submitRoutes } from './submit-routes.ts'
import { transparencyRoutes } from './transparency-routes.ts'
import { withdrawalRoutes } from './withdrawal-routes.ts'

export interface AppOptions {
  readonly store: PlcStore
  /** What is known of the transparency log; a directory may keep none. */
  readonly transparency: { readonly log: TransparencyLog; readonly publishing: Publishing } | undefined
  /** Bundles for replicas that begin; a directory may keep none. */
  readonly snapshots: Snapshots | undefined
  /** What is known of the directory that this one follows, if it is a replica. */
  readonly replica: Pick<Replica, 'upstream' | 'state'> | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly addressLimits: AddressLimits | undefined
  readonly admin: AdminOptions
  readonly version: string
  readonly writeLimits: boolean
  readonly metrics: SubmissionMetrics | undefined
  readonly statuses: RefusalStatuses
  /** Hears what went wrong through no fault of the client. */
  readonly onUnexpectedError: (error: unknown) => void
}

/** The directory's HTTP face. */
export interface App {
  fetch(request: Request, connection?: Partial<Connection>): Response | Promise<Response>
  /** The same answers, at less cost for whoever owns the socket. */
  answer(request: Request, connection?: Partial<Connection>): Promise<Reply | Response>
}

/** Every answer that is not the thing asked for is JSON with a `message`. */
export function createApp(options: AppOptions): App {
  const {
    store,
    now,
    addressLimits,
    admin,
    transparency,
    snapshots,
    replica,
    version,
    writeLimits,
    metrics,
    statuses,
    onUnexpectedError,
  } = options

  function answerTo(error: unknown): Reply {
    // What a replica has not read yet is not absent.
    if (error instanceof NotRegisteredError && replica?.state.isCaughtUp === false)
      return jsonReply(
        503,
        { message: `This replica of ${replica.upstream} is not caught up yet` },
        { 'retry-after': '10' },
      )
    const answer = refusal(error, statuses)
    if (answer !== undefined) return answer
    onUnexpectedError(error)
    return jsonReply(500, { message: 'Internal Server Error' })
  }

  const documents = createDocuments(store, statuses)
  const submit = replica ? undefined : createSubmissions(store, { writeLimits, addressLimits, metrics })
  const app = new Hono()
  app.use(cors({ origin: '*', exposeHeaders: EXPOSED_HEADERS }))
  app.get('*', waitForMinSeq(store))
  // Fixed paths first: `/:did` matches anything.
  aboutRoutes(app, store, { version, log: transparency?.log, replica, onFailure: onUnexpectedError })
  pageRoutes(app, store, now)
  alertRoutes(app, store)
  exportRoutes(app, store)
  snapshotRoutes(app, transparency && snapshots && { snapshots, log: transparency.log })
  if (transparency !== undefined) transparencyRoutes(app, { store, ...transparency })
  documentRoutes(app, documents)
  logRoutes(app, store)
  withdrawalRoutes(app, store)
  if (submit !== undefined) {
    adminRoutes(app, store, admin)
    submitRoutes(app, submit)
  }
  if (replica !== undefined) replicaRoutes(app, replica)
  app.notFound((c) => c.json({ message: `Not found: ${c.req.method} ${c.req.path.slice(0, 200)}` }, 404))
  app.onError((error) => answerTo(error).toResponse())

  const direct = createDirectAnswers({ store, documents, submit, answerTo })
  return {
    fetch: (request, connection = {}) => app.fetch(request, connection),
    answer: async (request, connection = {}) =>
      (await direct(request, connection)) ?? (await app.fetch(request, connection)),
  }
}
