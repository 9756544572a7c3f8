import { parse, type Value } from '@imago/data'
import type { RawBody } from '@imago/lexicon'
import { isNsid, type Nsid } from '@imago/syntax'
import { isJson } from './media-type.ts'
import { JsonText, type Method, type MethodContext, type Subscription } from './method.ts'
import { readInput } from './read-input.ts'
import { emptyReply, errorReply, headReply, jsonReply, preflightReply, Reply, rawReply } from './reply.ts'
import { methodName, queryOf } from './request-url.ts'
import type { HttpSchema, StreamSchema } from './schema-types.ts'
import { openStream, type Upgrade } from './stream-upgrade.ts'
import { wireJson } from './wire-json.ts'
import { invalidRequest, methodNotImplemented, XrpcError } from './xrpc-error.ts'

/** Where an error came up, for {@link XrpcServerOptions.onUnexpectedError}. */
export interface CallSite {
  readonly nsid: Nsid
  readonly request: Request
}

export interface XrpcServerOptions {
  /** What {@link method} and {@link subscription} made. */
  readonly methods: readonly (Method | Subscription)[]
  /** Methods that exist without being served here; they only get a better text in the 501. */
  readonly knownNsids?: Iterable<string>
  /**
   * Told once of every error that is neither an {@link XrpcError} nor the client's going away. The client gets 500
   * without details.
   */
  readonly onUnexpectedError: (error: unknown, site: CallSite) => void
  /** Checks what handlers return against the schemas; a mismatch is an unexpected error. Default: false. */
  readonly checkOutput?: boolean
  /** Turns the errors of the layers below into what the client shall see; `undefined` leaves them unexpected. */
  readonly mapError?: (error: unknown) => XrpcError | undefined
  /**
   * Sees every call first, served or not, and may answer it: where a host passes calls on to others. `undefined` leaves
   * the call to this server.
   */
  readonly intercept?: (call: CallSite) => Response | undefined | Promise<Response | undefined>
}

/** A server without sockets: whoever owns them passes requests in and sends responses out. */
export interface XrpcServer {
  /** Answers any request. Rejects only where `onUnexpectedError` throws. */
  fetch(request: Request): Promise<Response>
  /** The same answer, for whoever owns the socket: only what streams, or what a handler made itself, is a `Response`. */
  answer(request: Request): Promise<Reply | Response>
  /** Checks a WebSocket handshake before it is accepted: the stream that will follow, or the refusal to send. */
  upgrade(request: Request): Upgrade | Response
}

type AnySchema = HttpSchema | StreamSchema
type MethodType = AnySchema['type']

interface Route {
  readonly nsid: Nsid
  readonly entry: Method | Subscription
}

const CLIENT_CLOSED_REQUEST = 499
const ALLOW: Readonly<Record<MethodType, string>> = {
  query: 'GET, HEAD, OPTIONS',
  procedure: 'POST, OPTIONS',
  subscription: 'GET',
}

/**
 * Serves XRPC methods under `/xrpc/` at the root of every host name.
 * @throws {TypeError} when two methods have the same NSID.
 * @see https://atproto.com/specs/xrpc
 */
export function createXrpcServer(options: XrpcServerOptions): XrpcServer {
  const { onUnexpectedError, mapError, intercept, checkOutput = false } = options
  const routes = tableOf(options.methods)
  const known = new Set<string>(options.knownNsids)

  function find(url: string): Route {
    const name = methodName(url)
    if (name === undefined) throw new XrpcError(404, 'NotFound', 'XRPC methods are under /xrpc/')
    const route = routes.get(name)
    if (route) return route
    if (!isNsid(name)) throw invalidRequest(`${JSON.stringify(name)} in the path is not an NSID`)
    throw known.has(name)
      ? methodNotImplemented(name)
      : new XrpcError(501, 'MethodNotImplemented', `${name} is not a method that this host knows`)
  }

  /** The error that the client shall see. Reports it when nobody expected it. */
  function expected(error: unknown, site: CallSite): XrpcError {
    if (error instanceof XrpcError) return error
    const mapped = mapError?.(error)
    if (mapped) return mapped
    onUnexpectedError(error, site)
    return new XrpcError(500, 'InternalServerError', 'Internal server error')
  }

  async function call(request: Request): Promise<Reply | Response> {
    const intercepted = intercept && (await callIntercept(request))
    if (intercepted) return rawReply(intercepted, false, undefined)

    const { nsid, entry } = find(request.url)
    if (!isMethod(entry)) throw streamOverHttp(request, nsid, entry.schema)
    const { schema, options, handler } = entry
    const verb = request.method === 'HEAD' ? 'GET' : request.method
    if (verb !== verbOf(schema)) throw wrongVerb(request, nsid, schema)

    const isPrivate = options.auth !== undefined
    try {
      const auth = options.auth && (await options.auth(request, nsid))
      const params = decodeParams(schema, request.url)
      const input =
        schema.type === 'procedure' ? await readInput(request, schema.input, options.maxBodyBytes) : undefined
      const context = new Context(nsid, params, input, auth, request)
      const output = await handler(context)
      if (output instanceof Response) return rawReply(output, isPrivate, context.addedHeaders)
      return replyWith(schema, output, isPrivate, context.addedHeaders)
    } catch (error) {
      if (isPrivate && !request.signal.aborted) return errorReply(expected(error, { nsid, request }), true)
      throw error
    }
  }

  function callIntercept(request: Request): ReturnType<NonNullable<typeof intercept>> {
    const name = methodName(request.url)
    return isNsid(name) ? intercept?.({ nsid: name, request }) : undefined
  }

  function replyWith(
    schema: HttpSchema,
    output: unknown,
    isPrivate: boolean,
    headers: Headers | undefined,
  ): Reply | Response {
    if (schema.output === undefined) return emptyReply(isPrivate, headers)
    if (!isJson(schema.output.encoding))
      return rawReply(rawOutput(schema, output as RawBody | undefined), isPrivate, headers)
    if (checkOutput) {
      const value = output instanceof JsonText ? valueIn(output) : output
      const result = schema.output.schema?.validate(value)
      if (result && !result.ok)
        throw new TypeError(`${schema.nsid}: output${result.issue.path} ${result.issue.message}`)
    }
    return jsonReply(output instanceof JsonText ? output.text : wireJson(output), isPrivate, headers)
  }

  async function answer(request: Request): Promise<Reply | Response> {
    if (request.method === 'OPTIONS') return preflightReply(request)
    try {
      const reply = await call(request)
      return request.method === 'HEAD' ? headReply(reply) : reply
    } catch (error) {
      if (request.signal.aborted && !(error instanceof XrpcError))
        return new Reply(CLIENT_CLOSED_REQUEST, {}, null)
      const nsid = methodName(request.url) as Nsid
      const reply = errorReply(expected(error, { nsid, request }))
      return request.method === 'HEAD' ? headReply(reply) : reply
    }
  }

  return {
    answer,

    async fetch(request) {
      const reply = await answer(request)
      return reply instanceof Reply ? reply.toResponse() : reply
    },

    upgrade(request) {
      try {
        const { nsid, entry } = find(request.url)
        if (isMethod(entry)) throw invalidRequest(`${nsid} is not a subscription`)
        if (request.method !== 'GET') throw wrongVerb(request, nsid, entry.schema)
        const params = decodeParams(entry.schema, request.url)
        return openStream(entry, params, request, (error) => expected(error, { nsid, request }))
      } catch (error) {
        const nsid = methodName(request.url) as Nsid
        return errorReply(expected(error, { nsid, request })).toResponse()
      }
    },
  }
}

/** What a handler gets. A class, so that headers are made only for handlers that add some. */
class Context implements MethodContext<unknown, unknown, unknown> {
  readonly nsid: Nsid
  readonly params: unknown
  readonly input: unknown
  readonly auth: unknown
  readonly request: Request
  addedHeaders: Headers | undefined

  constructor(nsid: Nsid, params: unknown, input: unknown, auth: unknown, request: Request) {
    this.nsid = nsid
    this.params = params
    this.input = input
    this.auth = auth
    this.request = request
  }

  get signal(): AbortSignal {
    return this.request.signal
  }

  get responseHeaders(): Headers {
    return (this.addedHeaders ??= new Headers())
  }
}

function tableOf(entries: XrpcServerOptions['methods']): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>()
  for (const entry of entries) {
    const { nsid } = entry.schema
    if (routes.has(nsid)) throw new TypeError(`${nsid} is given twice`)
    routes.set(nsid, { nsid, entry })
  }
  return routes
}

function isMethod(entry: Method | Subscription): entry is Method {
  return entry.schema.type !== 'subscription'
}

function verbOf(schema: AnySchema): 'GET' | 'POST' {
  return schema.type === 'procedure' ? 'POST' : 'GET'
}

function wrongVerb(request: Request, nsid: Nsid, schema: AnySchema): XrpcError {
  const allow = ALLOW[schema.type]
  const message = `${nsid} is called with ${verbOf(schema)}, not ${request.method}`
  return new XrpcError(405, 'MethodNotAllowed', message, { headers: { allow } })
}

function streamOverHttp(request: Request, nsid: Nsid, schema: StreamSchema): XrpcError {
  if (request.method !== 'GET') return wrongVerb(request, nsid, schema)
  return new XrpcError(426, 'UpgradeRequired', `${nsid} is a stream: connect with WebSocket`, {
    headers: { upgrade: 'websocket', connection: 'Upgrade' },
  })
}

const valueIn = ({ text }: JsonText): Value =>
  parse(typeof text === 'string' ? text : new TextDecoder().decode(text))

function rawOutput({ nsid, output }: HttpSchema, raw: RawBody | undefined): Response {
  if (!(raw?.body instanceof ReadableStream))
    throw new TypeError(`${nsid} must return a Response or a stream: its output is ${output?.encoding}`)
  return new Response(raw.body, { headers: { 'content-type': raw.encoding } })
}

function decodeParams(schema: AnySchema, url: string): unknown {
  const result = schema.params.decode(new URLSearchParams(queryOf(url)))
  if (result.ok) return result.value
  throw invalidRequest(`params${result.issue.path} ${result.issue.message}`)
}
