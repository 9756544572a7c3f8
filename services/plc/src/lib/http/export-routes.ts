import type { Context, Hono } from 'hono'
import type { PlcStore, Position } from '../store/plc-store.ts'
import { HttpError, send } from './answers.ts'
import { auditEntry, sequencedEntry } from './operation-json.ts'

const MAX_COUNT = 1000

/**
 * `GET /export`: all operations, a page at a time. `after` is a sequence number, or else a date; both exclusive.
 * Operations may share a millisecond, so a page by date can end in the middle of one: whoever must not miss any reads
 * by sequence.
 */
export function exportRoutes(app: Hono, store: PlcStore): void {
  app.get('/export', async (c) => {
    const limit = countOf(c.req.query('count'))
    const after = positionOf(c.req.query('after'))
    const operations = await store.page(after, limit)
    const line = 'seq' in after ? sequencedEntry : auditEntry
    return send(c, operations.map(line).join('\n'), {
      contentType: 'application/jsonlines',
      cacheControl: 'no-cache',
    })
  })

  app.get('/export/stream', (c: Context) => {
    c.header('upgrade', 'websocket')
    return c.json({ message: 'upgrade required' }, 426)
  })
}

function countOf(text: string | undefined): number {
  if (text === undefined) return MAX_COUNT
  const count = /^\d+$/.test(text) ? Number(text) : 0
  if (count < 1) throw new HttpError(400, 'Invalid count parameter')
  return Math.min(count, MAX_COUNT)
}

/** Digits alone are a sequence number, even where they look like a year. */
function positionOf(text: string | undefined): Position {
  if (text === undefined) return { time: Number.MIN_SAFE_INTEGER }
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { seq: Number(text) }
  const time = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new HttpError(400, 'Invalid after parameter')
  return { time }
}
