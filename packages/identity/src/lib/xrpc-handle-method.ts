import { type Handle, isDid } from '@imago/syntax'
import { type HandleMethod, MAX_ANSWER_BYTES } from './handle-method.ts'
import { readBounded } from './read-bounded.ts'

export interface XrpcHandleMethodOptions {
  /** Base address of the service that answers com.atproto.identity.resolveHandle. */
  readonly service: string | URL
  readonly fetch: typeof fetch
  /** Handles it is asked about; others are left to the next way. Default: all. */
  readonly accepts?: (handle: Handle) => boolean
}

/** The way through another service's com.atproto.identity.resolveHandle: a development PDS, or a trusted resolver. */
export function createXrpcHandleMethod({ service, fetch, accepts }: XrpcHandleMethodOptions): HandleMethod {
  return async (handle, signal) => {
    if (accepts !== undefined && !accepts(handle)) return undefined
    const url = new URL('/xrpc/com.atproto.identity.resolveHandle', service)
    url.searchParams.set('handle', handle)
    const response = await fetch(url, { signal, redirect: 'error' })
    const text = await readBounded(response, MAX_ANSWER_BYTES)
    // HandleNotFound by the lexicon; InvalidRequest by the reference implementation.
    if (response.status === 400 || response.status === 404) return undefined
    if (!response.ok) throw new Error(`status ${response.status} from ${url.origin}`)
    const { did } = JSON.parse(text) as { did?: unknown }
    return isDid(did) ? did : undefined
  }
}
