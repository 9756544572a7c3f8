import { type Did, type Handle, hasDisallowedTld, normalizeHandle } from '@imago/syntax'
import type { ResolveOptions } from './did-resolver.ts'
import { createDnsHandleMethod, type ResolveTxt } from './dns-handle-method.ts'
import { type HandleMethod, notFound } from './handle-method.ts'
import { createHttpsHandleMethod } from './https-handle-method.ts'
import { IdentityError } from './identity-error.ts'
import { deadline } from './read-bounded.ts'

/** Asks who knows: no cache, and no look at what the DID says in turn. */
export interface HandleResolver {
  /**
   * The DID that a handle names.
   * @throws {IdentityError} `HandleNotFound` when it names none, or several; `Unavailable` when that cannot be said.
   */
  resolve(handle: Handle, options?: ResolveOptions): Promise<Did>
}

export interface HandleResolverOptions {
  readonly resolveTxt: ResolveTxt
  /** Goes to hosts that strangers chose: on a server, one from `createSafeFetch`. */
  readonly fetch: typeof fetch
  /** Asked first, in order. A development network resolves its `.test` handles here. */
  readonly methods?: readonly HandleMethod[]
  /** For each way. Default 3000. */
  readonly timeoutMs?: number
}

/** @see https://atproto.com/specs/handle#handle-resolution */
export function createHandleResolver(options: HandleResolverOptions): HandleResolver {
  const { methods = [], timeoutMs = 3000 } = options
  const viaDns = createDnsHandleMethod(options.resolveTxt)
  const viaHttps = createHttpsHandleMethod(options.fetch)

  return {
    async resolve(given, { signal } = {}) {
      const handle = normalizeHandle(given)
      if (hasDisallowedTld(handle)) throw notFound(handle, 'its top-level domain is reserved')
      const failures: unknown[] = []
      const attempt = async (method: HandleMethod, until = deadline(timeoutMs, signal)) => {
        try {
          return await settleBy(until, method(handle, until))
        } catch (error) {
          signal?.throwIfAborted()
          if (error instanceof IdentityError && error.code === 'HandleNotFound') throw error
          failures.push(error)
          return undefined
        }
      }
      for (const method of methods) {
        const did = await attempt(method)
        if (did !== undefined) return did
      }
      // Public name servers know no .test (RFC 6761 §6.2): where somebody else does, asking them is only waiting.
      if (methods.length === 0 || !handle.endsWith('.test')) {
        const stop = new AbortController()
        const https = attempt(viaHttps, AbortSignal.any([deadline(timeoutMs, signal), stop.signal]))
        // Awaited below, or not at all where DNS has the answer.
        https.catch(() => {})
        try {
          const did = (await attempt(viaDns)) ?? (await https)
          if (did !== undefined) return did
        } finally {
          stop.abort()
        }
      }
      if (failures.length > 0)
        throw new IdentityError('Unavailable', `no answer about the handle ${handle}`, { cause: failures[0] })
      throw notFound(handle, 'no way leads to a DID')
    },
  }
}

/** DNS look-ups cannot be called off; this stops the waiting for them. */
async function settleBy<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  promise.catch(() => {})
  work.catch(() => {})
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
