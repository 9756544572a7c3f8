import type { Hono } from 'hono'
import type { Replica } from '../replica/open-replica.ts'
import type { PlcStore } from '../store/plc-store.ts'
import type { TransparencyLog } from '../transparency/transparency-log.ts'
import { isoTime } from './operation-json.ts'

/** What programs are told at `/`. */
export const BANNER = `did:plc directory, Imago

  POST /:did             submit an operation
  GET  /:did             DID document
  GET  /:did/data        the same as plain data
  GET  /:did/log         operations that hold
  GET  /:did/log/last    the last of them
  GET  /:did/log/audit   all of them, those undone too
  GET  /:did/log/withdrawn  what was withdrawn because it may not stand, and why
  GET  /export           everything, page by page: ?after=<seq or date>&count=<1 to 1000>
  WS   /export/stream    everything as it comes: ?cursor=<seq>
  GET  /snapshot         the same in large pieces, which the transparency log vouches for
  GET  /:did/history     the same for people, with reasons
  GET  /:did/log/proof   evidence that an operation is in the transparency log: ?cid=<cid>
  GET  /alerts           changes of keys as they come: ?did=<did>
  GET  /log/checkpoint   the transparency log, signed; its tiles are at /log/tile/…
  GET  /_health
`

/** `GET /_health`, `/_ready` and `/robots.txt`. */
export function aboutRoutes(
  app: Hono,
  store: PlcStore,
  {
    version,
    log,
    replica,
    onFailure,
  }: {
    readonly version: string
    readonly log: Pick<TransparencyLog, 'origin' | 'vkeys' | 'published'> | undefined
    readonly replica: Pick<Replica, 'upstream' | 'state'> | undefined
    readonly onFailure: (error: unknown) => void
  },
): void {
  app.get('/robots.txt', (c) => c.text('User-agent: *\nAllow: /$\nDisallow: /\n'))

  app.get('/_health', async (c) => {
    try {
      const latest = await store.latest()
      return c.json({
        version,
        lastSeq: latest?.seq ?? 0,
        lastOperationAt: latest === undefined ? null : isoTime(latest.createdAt),
        ...(replica && { replica: replicaHealth(replica) }),
        ...(log && { log: { origin: log.origin, vkeys: log.vkeys, size: log.published?.size ?? 0 } }),
      })
    } catch (error) {
      onFailure(error)
      return c.json({ version, error: 'Service Unavailable' }, 503)
    }
  })

  // Apart from health: a replica that reads history is well, and not to be asked.
  app.get('/_ready', (c) =>
    replica === undefined || replica.state.isCaughtUp
      ? c.json({ ready: true })
      : c.json({ ready: false }, 503),
  )
}

function replicaHealth({ upstream, state }: Pick<Replica, 'upstream' | 'state'>) {
  const { isCaughtUp, mode, heardAt, totals } = state
  return { upstream, isCaughtUp, mode, heardAt: heardAt === undefined ? null : isoTime(heardAt), ...totals }
}
