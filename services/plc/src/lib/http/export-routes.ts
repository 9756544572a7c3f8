import type { Reply } from '@imago/xrpc/server'
import type { Context, Hono } from 'hono'
import { historyPage, isWithdrawal } from '../history-page.ts'
import type { PlcStore, Position } from '../store/plc-store.ts'
import { type Asked, HttpError, sendTo, whole } from './answers.ts'
import { auditEntry, sequencedEntry, withdrawalEntry } from './operation-json.ts'

const MAX_COUNT = 1000

/** What is asked of an export, as its query says it. */
export interface ExportQuery {
  readonly after: string | undefined
  readonly count: string | undefined
  /** `true`: with notices, each in its place. Otherwise their numbers are gaps. */
  readonly withdrawals?: string | undefined
}

/**
 * `GET /export`: all operations, a page at a time. `after` is a sequence number, or else a date; both exclusive.
 * Operations may share a millisecond, so a page by date can end in the middle of one: whoever must not miss any reads
 * by sequence.
 */
export function exportRoutes(app: Hono, store: PlcStore): void {
  app.get('/export', async (c) => {
    const query = {
      after: c.req.query('after'),
      count: c.req.query('count'),
      withdrawals: c.req.query('withdrawals'),
    }
    return (await answerExport(store, query, c.req)).toResponse()
  })

  app.get('/export/stream', (c: Context) => {
    c.header('upgrade', 'websocket')
    return c.json({ message: 'upgrade required' }, 426)
  })
}

export async function answerExport(store: PlcStore, query: ExportQuery, asked: Asked): Promise<Reply> {
  const limit = countOf(query.count)
  const after = positionOf(query.after)
  const lines = query.withdrawals === 'true' ? await linesWithNotices(store, after, limit) : undefined
  const line = 'seq' in after ? sequencedEntry : auditEntry
  const body = (lines ?? (await store.page(after, limit)).map(line)).join('\n')
  return await sendTo(asked, whole(body, { contentType: 'application/jsonlines', cacheControl: 'no-cache' }))
}

async function linesWithNotices(store: PlcStore, after: Position, limit: number): Promise<string[]> {
  if (!('seq' in after))
    throw new HttpError(400, 'withdrawals are told by sequence only: say ?after=<seq>&withdrawals=true')
  const events = await historyPage(store, after.seq, limit)
  return events.map((event) => (isWithdrawal(event) ? withdrawalEntry(event) : sequencedEntry(event)))
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
