import type { Hono } from 'hono'
import type { PlcStore } from '../store/plc-store.ts'
import type { TransparencyLog } from '../transparency/transparency-log.ts'
import { isoTime } from './operation-json.ts'

const BANNER = `did:plc directory, Imago

  POST /:did             submit an operation
  GET  /:did             DID document
  GET  /:did/data        the same as plain data
  GET  /:did/log         operations that hold
  GET  /:did/log/last    the last of them
  GET  /:did/log/audit   all of them, those undone too
  GET  /export           everything, page by page: ?after=<seq or date>&count=<1 to 1000>
  WS   /export/stream    everything as it comes: ?cursor=<seq>
  GET  /:did/log/proof   evidence that an operation is in the transparency log: ?cid=<cid>
  GET  /log/checkpoint   the transparency log, signed; its tiles are at /log/tile/…
  GET  /_health
`

/** `GET /` and `GET /_health`. */
export function aboutRoutes(
  app: Hono,
  store: PlcStore,
  {
    version,
    log,
    onFailure,
  }: {
    readonly version: string
    readonly log: Pick<TransparencyLog, 'origin' | 'vkeys' | 'published'> | undefined
    readonly onFailure: (error: unknown) => void
  },
): void {
  app.get('/', (c) => c.text(BANNER))

  app.get('/robots.txt', (c) => c.text('User-agent: *\nAllow: /$\nDisallow: /\n'))

  app.get('/_health', async (c) => {
    try {
      const latest = await store.latest()
      return c.json({
        version,
        lastSeq: latest?.seq ?? 0,
        lastOperationAt: latest === undefined ? null : isoTime(latest.createdAt),
        ...(log && { log: { origin: log.origin, vkeys: log.vkeys, size: log.published?.size ?? 0 } }),
      })
    } catch (error) {
      onFailure(error)
      return c.json({ version, error: 'Service Unavailable' }, 503)
    }
  })
}
