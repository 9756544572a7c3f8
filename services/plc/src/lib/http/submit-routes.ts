import type { Connection } from '@imago/service'
import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type AddressLimits, placeOf } from '../address-limits.ts'
import type { SubmissionMetrics } from '../plc-metrics.ts'
import type { PlcStore, Receipt } from '../store/plc-store.ts'
import { submitOperation } from '../submit-operation.ts'
import { HttpError } from './answers.ts'
import { isoTime } from './operation-json.ts'

const MAX_BODY_BYTES = 100 * 1024

/** `POST /:did`: an operation for the directory. Answered when it is durable. */
export function submitRoutes(
  app: Hono,
  store: PlcStore,
  {
    writeLimits,
    addressLimits,
    metrics,
  }: {
    readonly writeLimits: boolean
    readonly addressLimits: AddressLimits | undefined
    readonly metrics: SubmissionMetrics | undefined
  },
): void {
  const tooLarge = () => {
    throw new HttpError(413, `Request body too large (max ${MAX_BODY_BYTES} bytes)`)
  }
  app.post('/:did', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (c) => {
    const json = await jsonOf(c)
    const place = placeOf((c.env as Partial<Connection>).remoteAddress, c.req.header('x-forwarded-for'))
    const rules = {
      writeLimits,
      allowFreezing: c.req.query('allowFreezing') === 'true',
      addressLimit: addressLimits && { max: addressLimits.max, waitMs: addressLimits.waitMs(place) },
    }
    try {
      const receipt = await submitOperation(store, c.req.param('did'), json, rules)
      addressLimits?.count(place)
      metrics?.accepted()
      return acknowledge(c, receipt)
    } catch (error) {
      metrics?.refused(error)
      throw error
    }
  })
}

async function jsonOf(c: Context): Promise<unknown> {
  const type = c.req.header('content-type')
  if (type !== undefined && !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new HttpError(415, `Content-Type ${type.slice(0, 100)} is not taken here: send application/json`)
  const body = await c.req.arrayBuffer()
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new HttpError(400, 'Request body is not JSON in UTF-8')
  }
}

/** `OK`, as clients expect, and a receipt in the headers; as the body for who asks for JSON and nothing else. */
function acknowledge(c: Context, { cid, seq, nullified, createdAt }: Receipt): Response {
  const receipt = { cid, seq, nullified, createdAt: isoTime(createdAt) }
  c.header('plc-cid', cid)
  c.header('plc-seq', String(seq))
  c.header('plc-created-at', receipt.createdAt)
  return /^application\/json\s*$/i.test(c.req.header('accept') ?? '') ? c.json(receipt) : c.text('OK')
}
