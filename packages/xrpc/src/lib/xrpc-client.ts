import { parse, type Value } from '@imago/data'
import { errorOf, failure, reasonOf } from './call-failure.ts'
import type { BodyLike, HeadersLike } from './fetch-types.ts'
import { isJson, mediaTypeOf } from './media-type.ts'
import type { Retry } from './retry.ts'
import type { ErrorNameOf, GivenParamsOf, HttpSchema, IfRaw, InputOf, OutputOf } from './schema-types.ts'
import { wireJson } from './wire-json.ts'
import { XrpcError } from './xrpc-error.ts'

/** What may be set for a whole client, and overridden for a call. */
export interface ClientDefaults {
  readonly headers?: HeadersLike | undefined
  /** `did:…#service` to which the host shall pass the call on: sent as `atproto-proxy`. */
  readonly proxy?: string | undefined
  /** DIDs whose labels shall come with the answer: sent as `atproto-accept-labelers`. */
  readonly labelers?: readonly string[] | undefined
  /** Checks the input against its schema before sending. Default: false, the server does it. */
  readonly checkInput?: boolean | undefined
  /** Checks JSON answers against their schema. Default: true. */
  readonly checkOutput?: boolean | undefined
  /** How to go on after a failure that may pass. Default: not at all. Never used where the input is a stream. */
  readonly retry?: Retry | undefined
}

export interface ClientOptions extends ClientDefaults {
  /** Where the host is: only scheme, name and port count, because XRPC lives at the root. */
  readonly service: string | URL
  /** Default: the global one. An OAuth session's `fetch` goes here. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Value of the `Authorization` header, asked for at each request: `Bearer …`. */
  readonly auth?: (() => string | undefined | Promise<string | undefined>) | undefined
}

/** Bodies that are not JSON are handed over as `fetch` takes them. */
export type CallInput<S> = IfRaw<InputOf<S>, BodyLike>

/** Outputs that are not JSON are the `Response`: read its body, or cancel it. */
export type CallOutput<S> = IfRaw<OutputOf<S>, Response>

/** Where a key may be left out, `undefined` may stand; otherwise the key must be there. */
export type MaybeOptional<Key extends string, T> = undefined extends T
  ? { readonly [K in Key]?: T }
  : Record<never, never> extends T
    ? { readonly [K in Key]?: T }
    : { readonly [K in Key]: T }

/** What one call is given. */
export type CallOptions<S extends HttpSchema> = ClientDefaults & {
  readonly signal?: AbortSignal | undefined
  /** Media type of an input that is not JSON. Default: the schema's, a blob's own, or `application/octet-stream`. */
  readonly encoding?: string | undefined
} & MaybeOptional<'params', GivenParamsOf<S>> &
  MaybeOptional<'input', CallInput<S>>

/** The options may be left out where nothing in them is required. */
export type CallArguments<S extends HttpSchema> =
  Record<never, never> extends CallOptions<S> ? [options?: CallOptions<S>] : [options: CallOptions<S>]

export type CallResult<S extends HttpSchema> =
  | { readonly ok: true; readonly output: CallOutput<S>; readonly headers: Headers }
  | { readonly ok: false; readonly error: XrpcError<ErrorNameOf<S> | (string & {})> }

/** A request without a schema: nothing is encoded, and nothing checked. */
export interface RawRequest extends Pick<ClientDefaults, 'headers' | 'proxy' | 'labelers' | 'retry'> {
  /** Default: `GET`. */
  readonly method?: 'GET' | 'POST' | 'HEAD' | undefined
  readonly query?: URLSearchParams | undefined
  readonly body?: BodyLike | undefined
  readonly signal?: AbortSignal | undefined
}

/** Calls the XRPC methods of one host. */
export interface Client {
  /** Origin of the host: `https://pds.example.com`. */
  readonly service: string
  /**
   * Calls a method.
   * @throws {XrpcError} with what the server answered; with status 0 and `NetworkError` where it did not, and
   * `InvalidResponse` where the answer is not what the schema says.
   * @throws {LexiconError} for parameters, and with `checkInput` for an input, that the schema refuses.
   * @throws the signal's reason, when it aborts.
   */
  call<S extends HttpSchema>(schema: S, ...options: CallArguments<S>): Promise<CallOutput<S>>
  /** As `call`; failures that `call` throws as {@link XrpcError} come back as a value. */
  tryCall<S extends HttpSchema>(schema: S, ...options: CallArguments<S>): Promise<CallResult<S>>
  /**
   * Calls a method by its NSID alone.
   * @throws {XrpcError} for every status but 2xx.
   */
  request(nsid: string, request?: RawRequest): Promise<Response>
}

/** @throws {TypeError} when `service` is not an http or https URL. */
export function createClient(options: ClientOptions): Client {
  const { origin, protocol } = new URL(options.service)
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new TypeError(`the service must be an http or https URL, not ${options.service}`)

  async function request(nsid: string, given: RawRequest = {}): Promise<Response> {
    const { query, body, signal, method = 'GET' } = given
    const search = query === undefined || query.size === 0 ? '' : `?${query}`
    const url = `${origin}/xrpc/${nsid}${search}`
    const isStream = body instanceof ReadableStream

    async function attempt(): Promise<Response> {
      const authorization = await options.auth?.()
      const headers = headersOf(options, given, authorization)
      const init: RequestInit & { duplex?: 'half' } = { method, headers, body, signal }
      if (isStream) init.duplex = 'half'
      const response = await (options.fetch ?? fetch)(url, init).catch((cause) => {
        throw failure(cause, `${nsid} at ${origin}`, signal)
      })
      if (!response.ok) throw await errorOf(response)
      return response
    }

    const retry = isStream ? undefined : (given.retry ?? options.retry)
    return retry ? retry(attempt, { idempotent: method !== 'POST', signal }) : attempt()
  }

  async function perform(schema: HttpSchema, call: CallOptions<HttpSchema> = {}) {
    const query = schema.params.encode(call.params ?? {})
    const isProcedure = schema.type === 'procedure'
    const body = isProcedure && schema.input ? bodyOf(schema.input, call, options) : undefined
    const headers = new Headers(call.headers)
    if (body?.encoding && !headers.has('content-type')) headers.set('content-type', body.encoding)
    const method = isProcedure ? 'POST' : 'GET'
    const response = await request(schema.nsid, { ...call, headers, method, query, body: body?.content })
    const check = call.checkOutput ?? options.checkOutput ?? true
    return { output: await outputOf(schema, response, check, call.signal), response }
  }

  return {
    service: origin,
    request,
    async call(schema, ...[call]) {
      const { output } = await perform(schema, call)
      return output as CallOutput<typeof schema>
    },
    async tryCall(schema, ...[call]) {
      try {
        const { output, response } = await perform(schema, call)
        return { ok: true, output: output as CallOutput<typeof schema>, headers: response.headers }
      } catch (error) {
        if (error instanceof XrpcError) return { ok: false, error }
        throw error
      }
    },
  }
}

function headersOf(client: ClientDefaults, call: RawRequest, authorization: string | undefined): Headers {
  const headers = new Headers(client.headers)
  if (authorization !== undefined) headers.set('authorization', authorization)
  const proxy = call.proxy ?? client.proxy
  if (proxy !== undefined) headers.set('atproto-proxy', proxy)
  const labelers = call.labelers ?? client.labelers
  if (labelers !== undefined) headers.set('atproto-accept-labelers', labelers.join(', '))
  new Headers(call.headers).forEach((value, name) => {
    headers.set(name, value)
  })
  return headers
}

type InputBody = NonNullable<Extract<HttpSchema, { type: 'procedure' }>['input']>

function bodyOf(
  { encoding, schema }: InputBody,
  call: CallOptions<HttpSchema>,
  client: ClientDefaults,
): { encoding: string; content: BodyLike } | undefined {
  const input: unknown = call.input
  if (input === undefined) return undefined
  if (isJson(encoding)) {
    if (call.checkInput ?? client.checkInput) schema?.parse(input)
    return { encoding, content: wireJson(input) }
  }
  const own = input instanceof Blob ? input.type : ''
  const fixed = encoding.includes('*') ? own || 'application/octet-stream' : encoding
  return { encoding: call.encoding ?? fixed, content: input as BodyLike }
}

async function outputOf(
  schema: HttpSchema,
  response: Response,
  check: boolean,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (schema.output === undefined) {
    await response.body?.cancel()
    return undefined
  }
  if (!isJson(schema.output.encoding)) return response

  const bad = (reason: string, cause?: unknown) =>
    new XrpcError(response.status, 'InvalidResponse', `${schema.nsid}: ${reason}`, {
      headers: response.headers,
      cause,
    })
  const type = mediaTypeOf(response.headers.get('content-type'))
  if (!isJson(type)) {
    await response.body?.cancel()
    throw bad(`the answer should be application/json, and is ${type || 'of no type'}`)
  }
  const text = await response.text().catch((cause) => {
    throw failure(cause, `the answer to ${schema.nsid}`, signal)
  })
  let output: Value
  try {
    output = parse(text)
  } catch (cause) {
    throw bad(`the answer is not JSON of the atproto data model: ${reasonOf(cause)}`, cause)
  }
  const result = check ? schema.output.schema?.validate(output) : undefined
  if (result && !result.ok) throw bad(`output${result.issue.path} ${result.issue.message}`)
  return output
}
