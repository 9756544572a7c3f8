import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { normalizeOperation, type Operation, PlcError, type PlcState } from '@imago/identity/plc'
import { Reply } from '@imago/xrpc/server'
import type { PlcStore, StoredOperation } from '../store/plc-store.ts'
import { WithdrawalError } from '../store/withdrawal-error.ts'
import { WriteLimitError } from '../write-limits.ts'

/** What an answer depends on besides the path: a request of Hono's, or the head of one as Node has read it. */
export interface Asked {
  /** @param name in lower case. */
  header(name: string): string | undefined
}

/** Headers of ours that pages of other origins may read. */
export const EXPOSED_HEADERS = ['etag', 'plc-cid', 'plc-seq', 'plc-created-at', 'retry-after']

/** On every answer, readable from other origins. */
export const CROSS_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED_HEADERS.join(','),
}

/** A request that cannot be answered with what it asks for. The body is `{ message }`. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface RefusalStatuses {
  /** For a DID that has changed too often. */
  readonly writeLimit: 429 | 400
  /** For the document of a DID that was ended. */
  readonly tombstone: 410 | 404
}

/** An answer of JSON. */
export const jsonReply = (status: number, body: object, headers?: Readonly<Record<string, string>>): Reply =>
  new Reply(status, { ...CROSS_ORIGIN, 'content-type': 'application/json', ...headers }, JSON.stringify(body))

/**
 * The answer to what a handler threw; `undefined` when it is our own fault. Refused operations come with the code of
 * the refusal besides the message, so that a program need not read prose.
 */
export function refusal(error: unknown, statuses: RefusalStatuses): Reply | undefined {
  if (error instanceof HttpError) return jsonReply(error.status, { message: error.message })
  if (error instanceof PlcError) return jsonReply(400, { message: error.message, error: error.code })
  if (error instanceof WithdrawalError) return jsonReply(400, { message: error.message, error: error.code })
  if (error instanceof WriteLimitError) {
    const seconds = String(Math.ceil(error.retryAfterMs / 1000))
    return jsonReply(
      statuses.writeLimit,
      { message: error.message, error: 'RateLimitExceeded' },
      {
        'retry-after': seconds,
        'ratelimit-limit': String(error.limit),
        'ratelimit-remaining': '0',
        'ratelimit-reset': seconds,
      },
    )
  }
  return undefined
}

/** Nobody has registered the DID, as far as is known here. */
export class NotRegisteredError extends HttpError {
  constructor(did: string) {
    super(404, `DID not registered: ${did.slice(0, 2048)}`)
  }
}

export const notRegistered = (did: string) => new NotRegisteredError(did)

/** The head of a DID's log. @throws {HttpError} 404 when nobody has registered it. */
export async function headOf(store: PlcStore, did: string): Promise<StoredOperation> {
  const head = await store.head(did)
  if (head === undefined) throw notRegistered(did)
  return head
}

/** What the head of a log says. @throws {HttpError} when it says that the DID has ended. */
export function stateAt(head: StoredOperation, statuses: RefusalStatuses): PlcState {
  const data = normalizeOperation(JSON.parse(head.json) as Operation)
  if (data === undefined) throw new HttpError(statuses.tombstone, `DID not available: ${head.did}`)
  return { did: head.did as PlcState['did'], ...data }
}

export interface Sending {
  readonly contentType: string
  readonly cacheControl: string
  /** Request headers that the answer depends on, besides `Accept-Encoding`. */
  readonly vary?: string
  /**
   * Entity tag, without quotes. Made of the CID of the head: the last operation decides about every answer that is
   * made from the log.
   */
  readonly tag?: string
}

const MIN_COMPRESSED_LENGTH = 1024
const compress = promisify(gzip)

/** The whole answer, for whoever has nothing of it yet: what {@link sendTo} fits to a request. */
export function whole(body: string, { contentType, cacheControl, vary, tag }: Sending): Reply {
  return new Reply(
    200,
    {
      ...CROSS_ORIGIN,
      'content-type': contentType,
      'cache-control': cacheControl,
      vary: vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding`,
      // Weak, since the gzipped form bears the same tag (RFC 9110 §8.8.1).
      ...(tag !== undefined && { etag: `W/"${tag}"` }),
    },
    body,
  )
}

/** A whole answer, gzipped where that pays and the client takes it; or 304 for whoever has it. */
export function sendTo(asked: Asked, reply: Reply): Reply | Promise<Reply> {
  const { headers, body } = reply
  const known = asked.header('if-none-match')
  if (known !== undefined && isKnown(known, headers['etag'] as string | undefined))
    return new Reply(304, headers, null)
  const isLarge = body !== null && body.length >= MIN_COMPRESSED_LENGTH
  return isLarge && takesGzip(asked.header('accept-encoding')) ? gzipped(reply) : reply
}

async function gzipped({ status, headers, body }: Reply): Promise<Reply> {
  return new Reply(status, { ...headers, 'content-encoding': 'gzip' }, await compress(body!))
}

function isKnown(ifNoneMatch: string, etag: string | undefined): boolean {
  if (etag === undefined) return false
  const tag = etag.slice('W/'.length)
  return ifNoneMatch.split(',').some((one) => {
    const named = one.trim().replace(/^W\//, '')
    return named === tag || named === '*'
  })
}

function takesGzip(acceptEncoding = ''): boolean {
  return /(?:^|,)\s*gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i.test(acceptEncoding)
}
