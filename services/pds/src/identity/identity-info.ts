import type { DataMap } from '@imago/data'
import { type DidIdentity, type Directory, IdentityError } from '@imago/identity'
import {
  type AtIdentifier,
  type Did,
  type Handle,
  INVALID_HANDLE,
  isDid,
  normalizeHandle,
} from '@imago/syntax'
import type { AccountStore } from '../accounts/account-store.ts'
import { serviceDomainOf } from '../accounts/handle-rules.ts'

/** What this server says of an identity, its own accounts or anybody's. */
export interface IdentityInfo {
  readonly did: Did
  /** Verified both ways; `handle.invalid` where the DID claims none, or one that does not name it. */
  readonly handle: Handle
  /** As it was answered, whatever else it holds. */
  readonly didDoc: DataMap
}

export interface IdentityInfoOptions {
  readonly accounts: Pick<AccountStore, 'byHandle'>
  readonly directory: Pick<Directory, 'resolveDid' | 'resolveHandle'>
  /** Domains whose handles only this server gives, each with a leading dot. */
  readonly handleDomains: readonly string[]
}

/** A document came as JSON, and leaves as it. */
export const documentData = ({ document }: DidIdentity) => document as unknown as DataMap

/**
 * Looks up identities. About handles of its own accounts and domains this server is the authority, and asks nobody.
 */
export function createIdentityInfo({ accounts, directory, handleDomains }: IdentityInfoOptions) {
  /** @throws {IdentityError} */
  async function didOf(handle: Handle, refresh: boolean): Promise<Did> {
    const account = await accounts.byHandle(handle)
    if (account?.status === undefined && account !== undefined) return account.did
    if (account !== undefined || serviceDomainOf(handle, handleDomains) !== undefined)
      throw new IdentityError('HandleNotFound', `the handle ${handle} names no account`)
    return await directory.resolveHandle(handle, { refresh })
  }

  async function verifiedHandle({ did, data }: DidIdentity, refresh: boolean): Promise<Handle> {
    if (data.handle === undefined) return INVALID_HANDLE
    try {
      return (await didOf(data.handle, refresh)) === did ? data.handle : INVALID_HANDLE
    } catch (error) {
      if (error instanceof IdentityError) return INVALID_HANDLE
      throw error
    }
  }

  return {
    didOf,
    /** @throws {IdentityError} about the handle asked for, or the DID. */
    async find(identifier: AtIdentifier, { refresh = false } = {}): Promise<IdentityInfo> {
      const did = isDid(identifier) ? identifier : await didOf(normalizeHandle(identifier as Handle), refresh)
      const identity = await directory.resolveDid(did, { refresh })
      // A handle that was just asked for is known by now: only another one is a question of its own.
      const isAsked = identity.data.handle === identifier.toLowerCase()
      const handle = await verifiedHandle(identity, refresh && !isAsked)
      return { did, handle, didDoc: documentData(identity) }
    },
  }
}
