import { errorOf, failure } from './call-failure.ts'
import type { BodyLike, HeadersLike } from './fetch-types.ts'
import type { JsonOf } from './json-types.ts'
import { mediaTypeOf } from './media-type.ts'
import type { GivenParamsOf, IfRaw, InputOf, OutputOf } from './schema-types.ts'
import type { MaybeOptional } from './xrpc-client.ts'

export interface JsonClientOptions {
  /** Where the host is: only scheme, name and port count. */
  readonly service: string | URL
  /** Default: the global one. An OAuth session's `fetch` goes here. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Sent with every request: `{ authorization: 'Bearer …' }`. */
  readonly headers?: HeadersLike | undefined
}

/** What one call is given. */
export type JsonCallOptions<S> = {
  readonly headers?: HeadersLike | undefined
  readonly signal?: AbortSignal | undefined
  /** Media type of an input that is not JSON. */
  readonly encoding?: string | undefined
} & MaybeOptional<'params', GivenParamsOf<S>> &
  MaybeOptional<'input', IfRaw<InputOf<S>, BodyLike, JsonOf<InputOf<S>>>>

type Arguments<S> =
  Record<never, never> extends JsonCallOptions<S>
    ? [options?: JsonCallOptions<S>]
    : [options: JsonCallOptions<S>]

type Answer<S> = Promise<IfRaw<OutputOf<S>, Response, JsonOf<OutputOf<S>>>>

/** The names in `M` whose schemas are of one kind. */
type Named<M, Kind> = { [N in keyof M]: M[N] extends { readonly type: Kind } ? N : never }[keyof M] & string

/** Calls methods by name; types come from `M`, an interface of schemas by NSID such as `Methods` of `@imago/atproto`. */
export interface JsonClient<M> {
  /** @throws {XrpcError} with what the server answered, and with status 0 and `NetworkError` where it did not. */
  query<N extends Named<M, 'query'>>(nsid: N, ...options: Arguments<M[N]>): Answer<M[N]>
  /** @throws {XrpcError} as `query`. */
  procedure<N extends Named<M, 'procedure'>>(nsid: N, ...options: Arguments<M[N]>): Answer<M[N]>
}

/**
 * The client for where every kilobyte counts: typed calls, and nothing but types. Neither parameters nor answers are
 * checked, defaults are left to the server, and values stay as JSON has them, where {@link createClient} checks
 * them and makes links and bytes of their JSON forms.
 * @throws {TypeError} when `service` is not a URL.
 */
export function createJsonClient<M>(client: JsonClientOptions): JsonClient<M> {
  const { origin } = new URL(client.service)

  async function call(method: 'GET' | 'POST', nsid: string, options: LooseOptions = {}): Promise<unknown> {
    const { params = {}, input, encoding, signal } = options
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(params))
      for (const item of [value].flat()) if (item !== undefined) query.append(name, String(item))
    const headers = new Headers(client.headers)
    new Headers(options.headers).forEach((value, name) => {
      headers.set(name, value)
    })
    const isRaw = encoding !== undefined || isBody(input)
    if (input !== undefined && !(isRaw && isBlob(input) && encoding === undefined))
      headers.set('content-type', encoding ?? (isRaw ? 'application/octet-stream' : 'application/json'))
    const body = isRaw ? (input as BodyLike) : JSON.stringify(input)
    const init: RequestInit & { duplex?: 'half' } = { method, headers, body, signal }
    if (input instanceof ReadableStream) init.duplex = 'half'

    const failed = (cause: unknown) => {
      throw failure(cause, `${nsid} at ${origin}`, signal)
    }
    const response = await (client.fetch ?? fetch)(`${origin}/xrpc/${nsid}?${query}`, init).catch(failed)
    if (!response.ok) throw await errorOf(response)
    const type = mediaTypeOf(response.headers.get('content-type'))
    if (type === 'application/json') return response.json().catch(failed)
    if (type !== '') return response
    await response.body?.cancel()
    return undefined
  }

  return {
    query: (nsid: string, options?: LooseOptions) => call('GET', nsid, options),
    procedure: (nsid: string, options?: LooseOptions) => call('POST', nsid, options),
  } as JsonClient<M>
}

/** Options as they come at run time. */
interface LooseOptions {
  readonly params?: object
  readonly input?: unknown
  readonly encoding?: string
  readonly headers?: HeadersLike
  readonly signal?: AbortSignal
}

const isBlob = (input: unknown): input is Blob => input instanceof Blob && input.type !== ''

/** Whether an input is bytes in one of the forms that `fetch` takes: the rest is JSON. */
const isBody = (input: unknown) =>
  input instanceof Blob ||
  input instanceof ReadableStream ||
  input instanceof ArrayBuffer ||
  ArrayBuffer.isView(input)
