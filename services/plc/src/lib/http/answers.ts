import { normalizeOperation, type Operation, PlcError, type PlcState } from '@imago/identity/plc'
import type { Context } from 'hono'
import type { PlcStore, StoredOperation } from '../store/plc-store.ts'
import { WriteLimitError } from '../write-limits.ts'

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

/**
 * The answer to what a handler threw; `undefined` when it is our own fault. Refused operations come with the code of
 * the refusal besides the message, so that a program need not read prose.
 */
export function refusal(error: unknown, statuses: RefusalStatuses): Response | undefined {
  if (error instanceof HttpError) return Response.json({ message: error.message }, { status: error.status })
  if (error instanceof PlcError)
    return Response.json({ message: error.message, error: error.code }, { status: 400 })
  if (error instanceof WriteLimitError) {
    const seconds = String(Math.ceil(error.retryAfterMs / 1000))
    return Response.json(
      { message: error.message, error: 'RateLimitExceeded' },
      {
        status: statuses.writeLimit,
        headers: {
          'retry-after': seconds,
          'ratelimit-limit': String(error.limit),
          'ratelimit-remaining': '0',
          'ratelimit-reset': seconds,
        },
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

/** A body, gzipped where that pays and the client takes it; or 304 for whoever has it. */
export function send(c: Context, body: string, { contentType, cacheControl, vary, tag }: Sending): Response {
  const gzip = body.length >= MIN_COMPRESSED_LENGTH && takesGzip(c.req.header('accept-encoding'))
  const headers = new Headers({
    'content-type': contentType,
    'cache-control': cacheControl,
    vary: vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding`,
  })
  if (tag !== undefined) {
    // Weak, since the gzipped form bears the same tag (RFC 9110 §8.8.1).
    headers.set('etag', `W/"${tag}"`)
    if (isKnown(c.req.header('if-none-match'), tag)) return new Response(null, { status: 304, headers })
  }
  if (!gzip) return new Response(body, { headers })
  headers.set('content-encoding', 'gzip')
  return new Response(new Response(body).body!.pipeThrough(new CompressionStream('gzip')), { headers })
}

function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  const known = ifNoneMatch?.split(',').map((one) => one.trim().replace(/^W\//, ''))
  return known?.some((one) => one === `"${tag}"` || one === '*') ?? false
}

function takesGzip(acceptEncoding = ''): boolean {
  return /(?:^|,)\s*gzip\s*(?:,|$|;(?!\s*q=0(?:\.0*)?\s*(?:,|$)))/i.test(acceptEncoding)
}
