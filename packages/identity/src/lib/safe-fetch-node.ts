import { type LookupAddress, lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici'
import { isPublicAddress } from './address-policy-node.ts'
import { IdentityError } from './identity-error.ts'
import { deadline } from './read-bounded.ts'

export interface SafeFetchOptions {
  /** Addresses that are fetched without a look at scheme, port or address: one's own directory, a development network on loopback. */
  readonly allow?: (url: URL) => boolean
  /** From the call to the last byte of the body, redirects included. Default 5000. */
  readonly timeoutMs?: number
  /** Bound of a body after decompression. Default 524 288. */
  readonly maxBytes?: number
  /** Followed where the request says `redirect: 'follow'`, each of them vetted like the first address. Default 3. */
  readonly maxRedirects?: number
  /** Resolves host names; for tests. */
  readonly lookUp?: LookUp
}

/** All addresses of a host name. */
export type LookUp = (hostname: string) => Promise<readonly LookupAddress[]>

/** A fetch with an end: close it to let go of its idle connections. */
export type SafeFetch = typeof fetch & { close(): Promise<void> }

const MAX_HEADER_BYTES = 16_384
const MAX_CONNECTIONS_PER_HOST = 8

/**
 * A `fetch` for addresses that strangers chose. It speaks https on the standard port only, to hosts with names, whose
 * addresses are public, every one of them; it connects to the very address that was checked, so a name cannot change
 * its mind in between. Redirects are refused unless `redirect` asks for them. Rejects with {@link IdentityError}:
 * `Refused`, `TooLarge`; other failures are those of fetch.
 */
export function createSafeFetch(options: SafeFetchOptions = {}): SafeFetch {
  const { allow = () => false, timeoutMs = 5000, maxBytes = 524_288, maxRedirects = 3 } = options
  const limits = {
    connections: MAX_CONNECTIONS_PER_HOST,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    // Answers come from strangers: what they push or pipeline is not wanted.
    allowH2: false,
  }
  const vetted = new Agent({
    ...limits,
    connect: { timeout: timeoutMs, lookup: vettingLookup(options.lookUp ?? systemLookUp) },
  })
  const allowed = new Agent({ ...limits, connect: { timeout: timeoutMs } })

  function agentFor(url: URL): Agent {
    if (allow(url)) return allowed
    vetUrl(url)
    return vetted
  }

  async function safeFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    let url = new URL(input instanceof Request ? input.url : input)
    // Before the Request, whose own complaint about a user name would be another kind of error.
    let dispatcher = agentFor(url)
    const request = new Request(input, init)
    // A Request always has a redirect mode: only one that was given with the call asks for redirects.
    const redirect = init.redirect ?? (input instanceof Request ? input.redirect : 'error')
    const signal = deadline(timeoutMs, request.signal)
    for (let hops = 0; ; hops++) {
      const response = await send(url, request, init.body ?? request.body, dispatcher, signal)
      const location = isRedirect(response.status) ? response.headers.get('location') : null
      if (location === null || redirect === 'manual') return bounded(response, url, maxBytes)
      await response.body?.cancel()
      const next = redirect === 'follow' && hops < maxRedirects ? URL.parse(location, url) : null
      if (next === null || next.protocol !== url.protocol || !isRepeatable(request))
        throw new IdentityError('Refused', `${url.href} redirects to ${location.slice(0, 200)}`)
      url = next
      dispatcher = agentFor(url)
    }
  }

  return Object.assign(safeFetch, {
    async close() {
      await Promise.all([vetted.close(), allowed.close()])
    },
  })
}

const isRedirect = (status: number) => status >= 300 && status < 400
const isRepeatable = ({ method }: Request) => method === 'GET' || method === 'HEAD'

async function send(
  url: URL,
  request: Request,
  body: RequestInit['body'],
  dispatcher: Agent,
  signal: AbortSignal,
): Promise<Response> {
  const init: UndiciRequestInit = {
    method: request.method,
    headers: [...request.headers],
    body: body as UndiciRequestInit['body'],
    redirect: 'manual',
    signal,
    dispatcher,
    ...(body instanceof ReadableStream && { duplex: 'half' as const }),
  }
  try {
    return (await undiciFetch(url, init)) as unknown as Response
  } catch (error) {
    // fetch wraps what the look-up threw.
    if (error instanceof Error && error.cause instanceof IdentityError) throw error.cause
    throw error
  }
}

/** @throws {IdentityError} `Refused`. */
function vetUrl(url: URL): void {
  const refuse = (why: string) => {
    throw new IdentityError('Refused', `${url.href.slice(0, 200)}: ${why}`)
  }
  if (url.protocol !== 'https:') refuse('only https is fetched')
  if (url.username !== '' || url.password !== '') refuse('no user name or password belongs here')
  if (url.port !== '') refuse(`port ${url.port} is not fetched, only 443`)
  // The URL parser has turned octal, hexadecimal and short forms into plain ones already.
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) refuse('a host has a name, not an address')
  if (!url.hostname.includes('.')) refuse('a public host name has a dot')
}

/** Resolves, checks every address, and hands the checked ones to the connection itself. */
function vettingLookup(lookUp: LookUp): LookupFunction {
  return (hostname, options, done) => {
    lookUp(hostname).then(
      (found) => {
        const wanted = found.filter(({ family }) => !options.family || family === options.family)
        const blocked = found.find(({ address }) => !isPublicAddress(address))
        const first = wanted[0]
        if (blocked !== undefined)
          done(
            new IdentityError('Refused', `${hostname} leads to ${blocked.address}, not a public address`),
            '',
          )
        else if (first === undefined)
          done(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), '')
        else if (options.all) done(null, [...wanted])
        else done(null, first.address, first.family)
      },
      (error) => done(error, ''),
    )
  }
}

const systemLookUp: LookUp = (hostname) =>
  new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, addresses) =>
      error === null ? resolve(addresses) : reject(error),
    )
  })

/** The same response with a body that errors once it has grown beyond its bound. */
function bounded(response: Response, url: URL, maxBytes: number): Response {
  const { status, statusText, headers } = response
  let length = 0
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      length += chunk.length
      if (length > maxBytes)
        controller.error(new IdentityError('TooLarge', `${url.href} answered more than ${maxBytes} bytes`))
      else controller.enqueue(chunk)
    },
  })
  const body = response.body?.pipeThrough(counter) ?? null
  const result = new Response(body, { status, statusText, headers: [...headers] })
  Object.defineProperty(result, 'url', { value: url.href })
  return result
}
