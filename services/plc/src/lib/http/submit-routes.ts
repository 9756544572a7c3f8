import type { Connection } from '@imago/service'
import { Reply } from '@imago/xrpc/server'
import type { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type AddressLimits, placeOf } from '../address-limits.ts'
import type { SubmissionMetrics } from '../plc-metrics.ts'
import type { PlcStore, Receipt } from '../store/plc-store.ts'
import { submitOperation } from '../submit-operation.ts'
import { type Asked, CROSS_ORIGIN, HttpError } from './answers.ts'
import { isoTime } from './operation-json.ts'

/** Of a request that submits an operation. */
export const MAX_BODY_BYTES = 100 * 1024

/** What a submission says, besides its headers. */
export interface Submitted {
  readonly did: string
  /** JSON in UTF-8. */
  readonly body: ArrayBuffer
  /** The peer's IP address. */
  readonly remoteAddress: string | undefined
  /** Whether the operation may leave its DID without rotation keys, for good. */
  readonly allowFreezing: boolean
}

/** Answers submissions. @throws what {@link submitOperation} does, and {@link HttpError} for a body that is none. */
export type Submissions = (submitted: Submitted, asked: Asked) => Promise<Reply>

export function createSubmissions(
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
): Submissions {
  return async ({ did, body, remoteAddress, allowFreezing }, asked) => {
    const json = parseBody(body, asked.header('content-type'))
    const place = addressLimits && placeOf(remoteAddress, asked.header('x-forwarded-for'))
    const addressLimit =
      place === undefined ? undefined : { max: addressLimits!.max, waitMs: addressLimits!.waitMs(place) }
    // At once, so that what comes at the same time does not slip through together.
    const takeBack = place === undefined ? undefined : addressLimits!.count(place)
    try {
      const receipt = await submitOperation(store, did, json, { writeLimits, allowFreezing, addressLimit })
      metrics?.accepted()
      return acknowledgement(receipt, asked.header('accept'))
    } catch (error) {
      takeBack?.()
      metrics?.refused(error)
      throw error
    }
  }
}

/** `POST /:did`: an operation for the directory. Answered when it is durable. */
export function submitRoutes(app: Hono, submit: Submissions): void {
  app.post('/:did', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseTooLarge }), async (c) => {
    const { remoteAddress } = c.env as Partial<Connection>
    const body = await c.req.arrayBuffer()
    const allowFreezing = c.req.query('allowFreezing') === 'true'
    return (await submit({ did: c.req.param('did'), body, remoteAddress, allowFreezing }, c.req)).toResponse()
  })
}

function refuseTooLarge(): never {
  throw new HttpError(413, `Request body too large (max ${MAX_BODY_BYTES} bytes)`)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseBody(body: ArrayBuffer, type: string | undefined): unknown {
  if (type !== undefined && !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new HttpError(415, `Content-Type ${type.slice(0, 100)} is not taken here: send application/json`)
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    throw new HttpError(400, 'Request body is not JSON in UTF-8')
  }
}

/** `OK`, as clients expect, and a receipt in the headers; as the body for who asks for JSON and nothing else. */
function acknowledgement(
  { cid, seq, nullified, createdAt }: Receipt,
  accept: string | undefined = '',
): Reply {
  const receipt = { cid, seq, nullified, createdAt: isoTime(createdAt) }
  const inJson = /^application\/json\s*$/i.test(accept)
  return new Reply(
    200,
    {
      ...CROSS_ORIGIN,
      'content-type': inJson ? 'application/json' : 'text/plain; charset=UTF-8',
      'plc-cid': cid,
      'plc-seq': String(seq),
      'plc-created-at': receipt.createdAt,
    },
    inJson ? JSON.stringify(receipt) : 'OK',
  )
}
