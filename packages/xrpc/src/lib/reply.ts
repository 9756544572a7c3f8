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

const HEADER_NAME_LIST = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*$/
const PREFLIGHT_SECONDS = 86_400

/** Bodies of the responses that were made from a text. */
const texts = new WeakMap<Response, string>()

function textReply(text: string, init: ResponseInit): Response {
  const response = new Response(text, init)
  texts.set(response, text)
  return response
}

/**
 * The body of an answer that was made here from a text, so that whoever owns the socket can write it at once: reading it
 * back out of its stream costs more than a small query. `undefined` for every other response.
 */
export const textOf = (response: Response): string | undefined => texts.get(response)

/** A JSON answer with status 200. */
export function jsonReply(text: string, isPrivate: boolean, extra: Headers | undefined): Response {
  const headers = isPrivate ? PRIVATE_JSON : OPEN_JSON
  return textReply(text, { headers: extra ? merge(headers, extra) : headers })
}

/** The answer of a method without output. */
export function emptyReply(isPrivate: boolean, extra: Headers | undefined): Response {
  const headers = isPrivate ? { ...CROSS_ORIGIN, ...PRIVATE } : CROSS_ORIGIN
  return new Response(null, { headers: extra ? merge(headers, extra) : headers })
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
export function errorReply(error: XrpcError, isPrivate = false): Response {
  const headers = isPrivate ? PRIVATE_JSON : OPEN_JSON
  return textReply(JSON.stringify({ error: error.error, message: error.message }), {
    status: isErrorStatus(error.status) ? error.status : 500,
    headers: error.headers ? merge(headers, error.headers) : headers,
  })
}

/** The answer to a preflight request: any origin, any header that the client says it will send. */
export function preflightReply(request: Request): Response {
  const asked = request.headers.get('access-control-request-headers')
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
      'access-control-allow-headers': asked && HEADER_NAME_LIST.test(asked) ? asked : ALLOWED_HEADERS,
      'access-control-max-age': String(PREFLIGHT_SECONDS),
      vary: 'Access-Control-Request-Headers',
    },
  })
}

/** The answer to `HEAD`: everything but the body. */
export function headReply(response: Response): Response {
  response.body?.cancel().catch(() => {})
  return new Response(null, { status: response.status, headers: response.headers })
}

function merge(defaults: Readonly<Record<string, string>>, extra: Headers): Headers {
  const headers = new Headers(defaults)
  addTo(headers, extra)
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
