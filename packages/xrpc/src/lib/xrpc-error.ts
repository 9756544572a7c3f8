import type { HeadersLike } from './fetch-types.ts'

/** What an {@link XrpcError} may carry besides its message. */
export interface XrpcErrorOptions {
  /** Sent with the answer by the server; on the client, the headers of the answer that carried the error. */
  readonly headers?: HeadersLike | undefined
  /** What led to it; never sent over the wire. */
  readonly cause?: unknown
}

/**
 * A failure with a name that both sides of the wire know: thrown by a handler it becomes the answer
 * `{ "error": …, "message": … }` or an error frame; thrown by a client it is the answer (or the lack of one).
 *
 * `Name` narrows `error` where the schema of the method declares its errors.
 * @see https://atproto.com/specs/xrpc#error-responses
 */
export class XrpcError<Name extends string = string> extends Error {
  /** HTTP status; 0 where there was no HTTP answer (network failure, abort, error frame of a stream). */
  readonly status: number
  /** Name of the error, without white space. */
  readonly error: Name
  readonly headers: Headers | undefined

  /** @throws {TypeError} when `error` is empty or holds white space, which the wire does not allow. */
  constructor(status: number, error: Name, message: string = error, options: XrpcErrorOptions = {}) {
    if (!isErrorName(error))
      throw new TypeError(`an XRPC error name is one word, which ${JSON.stringify(error)} is not`)
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'XrpcError'
    this.status = status
    this.error = error
    this.headers = options.headers === undefined ? undefined : new Headers(options.headers)
  }
}

/** Whether a value can stand in the `error` field of an answer: a string of at least one character, no white space. */
export function isErrorName(value: unknown): value is string {
  return typeof value === 'string' && /^\S+$/.test(value)
}

const NAME_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'InvalidRequest',
  401: 'AuthenticationRequired',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'RequestTimeout',
  413: 'PayloadTooLarge',
  415: 'UnsupportedMediaType',
  426: 'UpgradeRequired',
  429: 'RateLimitExceeded',
  500: 'InternalServerError',
  501: 'MethodNotImplemented',
  502: 'UpstreamFailure',
  503: 'NotEnoughResources',
  504: 'UpstreamTimeout',
}

/** The error name that stands for an HTTP status where the answer itself names none. */
export function errorNameOf(status: number): string {
  return NAME_BY_STATUS[status] ?? (status < 500 ? 'InvalidRequest' : 'InternalServerError')
}

/** 400: the request cannot be served as it is. `error` is the name that the method's schema declares, if it does. */
export function invalidRequest<Name extends string = 'InvalidRequest'>(
  message: string,
  error: Name = 'InvalidRequest' as Name,
): XrpcError<Name> {
  return new XrpcError(400, error, message)
}

/** 401: no credentials came, or none that this method takes. `headers` is where `WWW-Authenticate` goes. */
export function authRequired(
  message = 'Authentication required',
  error = 'AuthMissing',
  headers?: HeadersLike,
): XrpcError {
  return new XrpcError(401, error, message, { headers })
}

/** 403: the credentials are good, and not enough. */
export function forbidden(message: string, error = 'Forbidden'): XrpcError {
  return new XrpcError(403, error, message)
}

/** 413: the body is longer than `maxBytes`. */
export function payloadTooLarge(maxBytes: number): XrpcError<'PayloadTooLarge'> {
  return new XrpcError(413, 'PayloadTooLarge', `the request body is longer than ${maxBytes} bytes`)
}

/** 429: try again in `retryAfterSeconds`, a whole number. */
export function rateLimited(retryAfterSeconds: number, message = 'Rate limit exceeded'): XrpcError {
  return new XrpcError(429, 'RateLimitExceeded', message, {
    headers: { 'retry-after': String(retryAfterSeconds) },
  })
}

/** 501: this host does not serve that method. */
export function methodNotImplemented(nsid: string): XrpcError<'MethodNotImplemented'> {
  return new XrpcError(501, 'MethodNotImplemented', `${nsid} is not served here`)
}

/** 502: another host, which had to answer first, failed. */
export function upstreamFailure(message = 'Upstream failure', cause?: unknown): XrpcError {
  return new XrpcError(502, 'UpstreamFailure', message, { cause })
}

/** 504: another host, which had to answer first, did not in time. */
export function upstreamTimeout(message = 'Upstream timeout', cause?: unknown): XrpcError {
  return new XrpcError(504, 'UpstreamTimeout', message, { cause })
}
