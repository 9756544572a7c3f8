import type { BodyLike } from './fetch-types.ts'
import type { XrpcError } from './xrpc-error.ts'

const EXPOSED_HEADERS = [
  'DPoP-Nonce',
  'WWW-Authenticate',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'RateLimit-Policy',
  'Retry-After',
  'Atproto-Repo-Rev',
  'Atproto-Content-Labelers',
  'Atproto-Upstream-Lag',
].join(', ')

const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'Content-Encoding',
  'DPoP',
  'Atproto-Proxy',
  'Atproto-Accept-Labelers',
  'Atproto-Content-Labelers',
].join(', ')

const CROSS_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': EXPOSED_HEADERS,
}
const PRIVATE = { 'cache-control': 'private', vary: 'Authorization' }
const JSON_TYPE = { 'content-type': 'application/json' }

/** Headers of JSON answers: made once, because building them costs as much as a small query. */
const OPEN_JSON = { ...JSON_TYPE, ...CROSS_ORIGIN }
const PRIVATE_JSON = { ...OPEN_JSON, ...PRIVATE }
const PRIVATE_EMPTY = { ...CROSS_ORIGIN, ...PRIVATE }

const HEADER_NAME_LIST = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*$/
const PREFLIGHT_SECONDS = 86_400

/** Headers by their names in lower case. */
type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>

/**
 * An answer as it goes to the socket: a status, headers, and a text, its UTF-8 or nothing. A `Response` says the same at the
 * price of a small query, most of it for a stream that nobody needs.
 */
export class Reply {
  readonly status: number
  readonly headers: ReplyHeaders
  readonly body: string | Uint8Array | null

  constructor(status: number, headers: ReplyHeaders, body: string | Uint8Array | null) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  toResponse(): Response {
    const headers = new Headers()
    for (const [name, values] of Object.entries(this.headers))
      for (const value of typeof values === 'string' ? [values] : values) headers.append(name, value)
    return new Response(this.body as BodyLike | null, { status: this.status, headers })
  }
}

/** A JSON answer with status 200. */
export function jsonReply(text: string | Uint8Array, isPrivate: boolean, extra: Headers | undefined): Reply {
  const headers = isPrivate ? PRIVATE_JSON : OPEN_JSON
  return new Reply(200, extra ? merged(headers, extra) : headers, text)
}

/** The answer of a method without output. */
export function emptyReply(isPrivate: boolean, extra: Headers | undefined): Reply {
  const headers = isPrivate ? PRIVATE_EMPTY : CROSS_ORIGIN
  return new Reply(200, extra ? merged(headers, extra) : headers, null)
}

/** A handler's own `Response`, readable from other origins; what it already says about that and caching is kept. */
export function rawReply(response: Response, isPrivate: boolean, extra: Headers | undefined): Response {
  const open = withMutableHeaders(response)
  setMissing(open.headers, CROSS_ORIGIN)
  if (isPrivate) {
    setMissing(open.headers, { 'cache-control': PRIVATE['cache-control'] })
    open.headers.append('vary', PRIVATE.vary)
  }
  if (extra) addTo(open.headers, extra)
  return open
}

/**
 * The answer that an error becomes: its status, `{ "error", "message" }`, its headers, readable from other origins.
 * @see https://atproto.com/specs/xrpc#error-responses
 */
export function errorReply(error: XrpcError, isPrivate = false): Reply {
  const headers = isPrivate ? PRIVATE_JSON : OPEN_JSON
  return new Reply(
    isErrorStatus(error.status) ? error.status : 500,
    error.headers ? merged(headers, error.headers) : headers,
    JSON.stringify({ error: error.error, message: error.message }),
  )
}

/** The answer to a preflight request: any origin, any header that the client says it will send. */
export function preflightReply(request: Request): Reply {
  const asked = request.headers.get('access-control-request-headers')
  const headers = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
    'access-control-allow-headers': asked && HEADER_NAME_LIST.test(asked) ? asked : ALLOWED_HEADERS,
    'access-control-max-age': String(PREFLIGHT_SECONDS),
    vary: 'Access-Control-Request-Headers',
  }
  return new Reply(204, headers, null)
}

/** The answer to `HEAD`: everything but the body. */
export function headReply(reply: Reply | Response): Reply | Response {
  if (reply instanceof Reply) return new Reply(reply.status, reply.headers, null)
  reply.body?.cancel().catch(() => {})
  return new Response(null, { status: reply.status, headers: reply.headers })
}

function merged(defaults: ReplyHeaders, extra: Headers): ReplyHeaders {
  const headers: Record<string, string | readonly string[]> = { ...defaults }
  for (const [name, value] of extra)
    if (name === 'set-cookie') headers[name] = extra.getSetCookie()
    else headers[name] = name === 'vary' && headers[name] ? `${headers[name]}, ${value}` : value
  return headers
}

function addTo(headers: Headers, extra: Headers): void {
  for (const [name, value] of extra)
    if (name === 'set-cookie' || name === 'vary') headers.append(name, value)
    else headers.set(name, value)
}

function setMissing(headers: Headers, defaults: Readonly<Record<string, string>>): void {
  for (const name in defaults) if (!headers.has(name)) headers.set(name, defaults[name]!)
}

/**
 * Responses that come out of `fetch` have headers that cannot be written, which only an attempt shows. The attempt is
 * of use by itself: no browser takes credentials together with any origin.
 */
function withMutableHeaders(response: Response): Response {
  try {
    response.headers.delete('access-control-allow-credentials')
    return response
  } catch {
    const { body, status, statusText, headers } = response
    return new Response(body, { status, statusText, headers })
  }
}

function isErrorStatus(status: number): boolean {
  return status >= 400 && status <= 599
}
