import type { Did } from '@imago/syntax'
import { type DidDocument, parseDidDocument } from './did-document.ts'
import { didWebUrl } from './did-web.ts'
import { IdentityError } from './identity-error.ts'
import { isDidPlc } from './plc/operation-bytes.ts'
import { deadline, readBounded } from './read-bounded.ts'

export interface ResolveOptions {
  readonly signal?: AbortSignal
}

/** Asks who knows: no cache. */
export interface DidResolver {
  /**
   * The document of a did:plc or did:web.
   * @throws {IdentityError} `DidNotFound`, `DidDeactivated`, `InvalidDocument`, `Refused`, `TooLarge`, `Unavailable`.
   */
  resolve(did: Did, options?: ResolveOptions): Promise<DidDocument>
}

export interface DidResolverOptions {
  /** Base address of the PLC directory. */
  readonly plcUrl: string | URL
  /** Goes to hosts that strangers chose: on a server, one from `createSafeFetch` that allows `plcUrl`. */
  readonly fetch: typeof fetch
  /** For one document, connection to last byte. Default 3000. */
  readonly timeoutMs?: number
  /** Bound of a document. Default 65 536. */
  readonly maxBytes?: number
}

const ACCEPT = 'application/did+ld+json, application/did+json, application/json'

/** @see https://atproto.com/specs/did */
export function createDidResolver(options: DidResolverOptions): DidResolver {
  const { fetch, timeoutMs = 3000, maxBytes = 65_536 } = options
  const plcBase = new URL(options.plcUrl).href.replace(/\/$/, '')

  async function get(did: Did, url: string, signal?: AbortSignal): Promise<DidDocument> {
    let response: Response
    let text: string
    try {
      response = await fetch(url, {
        headers: { accept: ACCEPT },
        redirect: 'error',
        signal: deadline(timeoutMs, signal),
      })
      text = await readBounded(response, maxBytes)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof IdentityError) throw error
      throw new IdentityError('Unavailable', `no answer about ${did} from ${url}`, { cause: error })
    }
    if (!response.ok) throw refusalOf(did, response.status, text)
    return parseDidDocument(parseJson(did, text), did)
  }

  return {
    async resolve(did, { signal } = {}) {
      if (isDidPlc(did)) return await get(did, `${plcBase}/${did}`, signal)
      if (did.startsWith('did:web:')) return await get(did, didWebUrl(did).href, signal)
      throw new IdentityError(
        'DidNotFound',
        `${did} cannot be resolved (expected a did:plc of 24 characters, or a did:web)`,
      )
    },
  }
}

function refusalOf(did: Did, status: number, body: string): IdentityError {
  // The public directory answers 404 for a tombstone, with this message; its specification says 410.
  if (
    (status === 410 || (status === 404 && body.includes('DID not available'))) &&
    did.startsWith('did:plc:')
  )
    return new IdentityError('DidDeactivated', `${did} was ended by a tombstone`)
  if (status === 404 || status === 410) return new IdentityError('DidNotFound', `${did} is not registered`)
  return new IdentityError('Unavailable', `status ${status} instead of a document of ${did}`)
}

function parseJson(did: Did, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new IdentityError('InvalidDocument', `the DID document of ${did} is not JSON`, { cause })
  }
}
