import {
  createDidResolver,
  createDirectory,
  createHandleResolver,
  createXrpcHandleMethod,
  type DidIdentity,
} from '@imago/identity'
import { INVALID_HANDLE, isDid, isHandle } from '@imago/syntax'
import type { ServiceUrls } from './service-urls.ts'

/** Who is who in the network, remembered. */
export interface Names {
  /** The verified handle of a DID; `undefined` where there is none. Never rejects. */
  handleOf(did: string): Promise<string | undefined>
  /** The DID of a handle; `undefined` where there is none. Never rejects. */
  didOf(handle: string): Promise<string | undefined>
  /** Document, key and PDS of a DID. @throws {IdentityError} */
  identityOf(did: string, options?: { refresh?: boolean }): Promise<DidIdentity>
  /** Something has changed about a DID. */
  forget(did: string): void
}

/** Asks the network's own directory and PDS, and nobody outside. */
export function createNames(options: {
  services: ServiceUrls
  fetch: typeof fetch
  now: () => number
}): Names {
  const { fetch, now } = options
  const { plc, pds } = options.services
  const directory = createDirectory({
    dids: createDidResolver({ plcUrl: plc, fetch }),
    handles: createHandleResolver({
      methods: [createXrpcHandleMethod({ service: pds, fetch })],
      resolveTxt: async () => [],
      fetch: async () => new Response(null, { status: 404 }),
    }),
    now,
  })
  const orUndefined = () => undefined
  return {
    async handleOf(did) {
      if (!isDid(did)) return undefined
      const identity = await directory.resolve(did).catch(orUndefined)
      return identity === undefined || identity.handle === INVALID_HANDLE ? undefined : identity.handle
    },
    async didOf(handle) {
      return isHandle(handle)
        ? directory.resolveHandle(handle, { refresh: true }).catch(orUndefined)
        : undefined
    },
    async identityOf(did, options) {
      if (!isDid(did)) throw new TypeError(`${JSON.stringify(did)} is not a DID`)
      return directory.resolveDid(did, options)
    },
    forget(did) {
      if (isDid(did)) directory.invalidate(did)
    },
  }
}
