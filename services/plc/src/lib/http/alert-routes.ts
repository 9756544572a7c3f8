import { isDidPlc } from '@imago/identity/plc'
import type { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { alertOf, type KeyAlert } from '../alerts/key-alert.ts'
import { type HistoryEvent, inOrder } from '../history-page.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { HttpError } from './answers.ts'

const MAX_DIDS = 100
const KEEP_ALIVE_MS = 25_000
/** Operations that wait for a slow reader: beyond it the stream ends, and the reader comes back with its cursor. */
const MAX_WAITING = 1000

/**
 * `GET /alerts?did=…`: server-sent events, one for each operation that changes the keys or services of one of the DIDs,
 * and for each withdrawal that does.
 * The id of an event is its sequence number; who comes back with it as `Last-Event-ID`, or `?cursor=`, misses nothing.
 */
export function alertRoutes(app: Hono, store: PlcStore): void {
  app.get('/alerts', (c) => {
    const dids = c.req.queries('did') ?? []
    if (dids.length === 0 || dids.length > MAX_DIDS || !dids.every(isDidPlc))
      throw new HttpError(400, `Say whom to watch: ?did=did:plc:…, 1 to ${MAX_DIDS} times`)
    const watched = new Set<string>(dids)
    const cursorText = c.req.header('last-event-id') ?? c.req.query('cursor')
    const cursor = cursorText === undefined ? undefined : Number(cursorText)
    if (cursor !== undefined && !(Number.isSafeInteger(cursor) && cursor >= 0))
      throw new HttpError(400, 'Invalid cursor parameter')

    return streamSSE(c, async (stream) => {
      const waiting: HistoryEvent[] = []
      let wake = () => {}
      const unsubscribe = store.subscribe((operations, withdrawals) => {
        waiting.push(...inOrder(operations, withdrawals).filter(({ did }) => watched.has(did)))
        wake()
      })
      stream.onAbort(() => wake())
      // Where the body is not read at all, nobody cancels it.
      c.req.raw.signal.addEventListener('abort', () => stream.abort())
      const keepAlive = setInterval(() => void stream.writeln(': still here\n'), KEEP_ALIVE_MS)
      const tell = async (alert: KeyAlert | undefined) => {
        if (alert !== undefined)
          await stream.writeSSE({ id: String(alert.seq), event: 'alert', data: JSON.stringify(alert) })
      }
      try {
        let told = cursor ?? Number.POSITIVE_INFINITY
        if (cursor !== undefined)
          for (const operation of await missed(store, watched, cursor)) {
            await tell(await alertOf(store, operation))
            told = operation.seq
          }
        while (!stream.aborted && waiting.length <= MAX_WAITING) {
          const next = waiting.shift()
          if (next === undefined)
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          else if (cursor === undefined || next.seq > told) await tell(await alertOf(store, next))
        }
      } finally {
        clearInterval(keepAlive)
        unsubscribe()
      }
    })
  })
}

/** What the watched DIDs did behind a number: from their own logs, however long the directory's is. */
async function missed(
  store: PlcStore,
  watched: ReadonlySet<string>,
  cursor: number,
): Promise<readonly HistoryEvent[]> {
  const events = await Promise.all(
    [...watched].map(async (did) => [...(await store.operations(did)), ...(await store.withdrawals(did))]),
  )
  return events
    .flat()
    .filter(({ seq }) => seq > cursor)
    .sort((a, b) => a.seq - b.seq)
}
