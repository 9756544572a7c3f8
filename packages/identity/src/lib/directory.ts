import { type PublicKey, parseDidKey } from '@imago/crypto'
import {
  type AtIdentifier,
  type Did,
  type Handle,
  INVALID_HANDLE,
  isDid,
  normalizeHandle,
} from '@imago/syntax'
import { type AtprotoData, atprotoData } from './atproto-data.ts'
import type { DidDocument } from './did-document.ts'
import type { DidResolver } from './did-resolver.ts'
import type { HandleResolver } from './handle-resolver.ts'
import { IdentityError } from './identity-error.ts'
import { createStaleCache } from './stale-cache.ts'

/** A DID with its document, and what atproto reads there. */
export interface DidIdentity {
  readonly did: Did
  readonly document: DidDocument
  /** What the document says, its handle being a mere claim. */
  readonly data: AtprotoData
  /** The repository's signing key, parsed. */
  readonly signingKey?: PublicKey
  /** Origin of the PDS. */
  readonly pds?: string
}

/** A DID together with the handle that is known to name it. */
export interface Identity extends DidIdentity {
  /** The handle, verified both ways; `handle.invalid` where the DID claims none, or one that does not name it. */
  readonly handle: Handle
}

export interface LookUpOptions {
  /** Ask anew, whatever is known: after an `#identity` event, or a signature that did not verify. */
  readonly refresh?: boolean
}

/** Resolves identities, and remembers. Safe for concurrent use: one question per DID or handle is under way at a time. */
export interface Directory {
  /** Document, keys and PDS of a DID; the cheap question, without a look at its handle. @throws {IdentityError} */
  resolveDid(did: Did, options?: LookUpOptions): Promise<DidIdentity>
  /** A DID with its verified handle. @throws {IdentityError} about the DID; a handle that fails is `handle.invalid`. */
  resolve(did: Did, options?: LookUpOptions): Promise<Identity>
  /** The DID that a handle names, whether or not that DID agrees. @throws {IdentityError} */
  resolveHandle(handle: Handle, options?: LookUpOptions): Promise<Did>
  /** Either of them. @throws {IdentityError} `HandleNotFound` also for a handle whose DID does not claim it in turn. */
  resolveIdentifier(identifier: AtIdentifier, options?: LookUpOptions): Promise<Identity>
  /** Forgets a DID and the handle that it claims. */
  invalidate(did: Did): void
}

export interface DirectoryOptions {
  readonly dids: DidResolver
  readonly handles: HandleResolver
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Default 1 hour. */
  readonly freshMs?: number
  /** Default 24 hours. */
  readonly staleMs?: number
  /** Default 2 minutes. */
  readonly negativeMs?: number
  /** DIDs kept, and as many handles. Default 100 000. */
  readonly capacity?: number
}

const HOUR_MS = 60 * 60 * 1000

export function createDirectory(options: DirectoryOptions): Directory {
  const { dids, handles, now, capacity = 100_000 } = options
  const { freshMs = HOUR_MS, staleMs = 24 * HOUR_MS, negativeMs = 2 * 60 * 1000 } = options
  const rules = { now, freshMs, staleMs, negativeMs, capacity, isDefinitive }
  const documents = createStaleCache<Did, DidIdentity>({
    ...rules,
    load: async (did) => identityOf(await dids.resolve(did)),
  })
  const names = createStaleCache<Handle, Did>({ ...rules, load: (handle) => handles.resolve(handle) })
  const lookUp = <K, V>(
    cache: { get(key: K): Promise<V>; refresh(key: K): Promise<V> },
    key: K,
    refresh = false,
  ) => (refresh ? cache.refresh(key) : cache.get(key))

  async function verifiedHandle({ did, data }: DidIdentity, refresh?: boolean): Promise<Handle> {
    if (data.handle === undefined) return INVALID_HANDLE
    try {
      return (await lookUp(names, data.handle, refresh)) === did ? data.handle : INVALID_HANDLE
    } catch (error) {
      if (error instanceof IdentityError) return INVALID_HANDLE
      throw error
    }
  }

  const directory: Directory = {
    resolveDid: (did, { refresh } = {}) => lookUp(documents, did, refresh),
    async resolve(did, { refresh } = {}) {
      const identity = await directory.resolveDid(did, { refresh })
      return { ...identity, handle: await verifiedHandle(identity, refresh) }
    },
    resolveHandle: (handle, { refresh } = {}) => lookUp(names, normalizeHandle(handle), refresh),
    async resolveIdentifier(identifier, options) {
      if (isDid(identifier)) return await directory.resolve(identifier, options)
      const handle = normalizeHandle(identifier as Handle)
      const did = await directory.resolveHandle(handle, options)
      // The handle has just been asked for: a refresh of it would be the same question twice.
      const identity = await directory.resolveDid(did, options)
      if (identity.data.handle !== handle)
        throw new IdentityError(
          'HandleNotFound',
          `the handle ${handle} names ${did}, which claims ${identity.data.handle ?? 'no handle'}`,
        )
      return { ...identity, handle }
    },
    invalidate(did) {
      const known = documents.peek(did)
      if (known?.data.handle !== undefined) names.delete(known.data.handle)
      documents.delete(did)
    },
  }
  return directory
}

function isDefinitive(error: unknown): boolean {
  return error instanceof IdentityError && error.isDefinitive
}

function identityOf(document: DidDocument): DidIdentity {
  const data = atprotoData(document)
  return {
    did: document.id,
    document,
    data,
    ...(data.signingKey !== undefined && { signingKey: parseDidKey(data.signingKey) }),
    ...(data.pds !== undefined && { pds: data.pds }),
  }
}
