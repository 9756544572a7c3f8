import type { DataMap } from '@imago/data'
import { type Directory, IdentityError } from '@imago/identity'
import type { Did, Handle } from '@imago/syntax'
import type { Account } from '../accounts/account-store.ts'

/** What session methods say of an account. */
export interface SessionInfo {
  did: Did
  handle: Handle
  didDoc?: DataMap
  email?: string
  emailConfirmed?: boolean
  emailAuthFactor: boolean
  active: boolean
  status?: string
}

/** @param forApp whether an app password opened the session: apps are not told the email address. */
export async function sessionInfo(
  account: Account,
  directory: Pick<Directory, 'resolveDid'>,
  forApp: boolean,
): Promise<SessionInfo> {
  const { did, handle, emailConfirmedAt, status } = account
  const email = forApp ? undefined : account.email
  const didDoc = await didDocumentOf(did, directory)
  return {
    did,
    handle,
    ...(didDoc && { didDoc }),
    ...(email !== undefined && { email, emailConfirmed: emailConfirmedAt !== undefined }),
    emailAuthFactor: false,
    active: status === undefined,
    ...(status !== undefined && { status }),
  }
}

/** The document, if it can be had: a session is worth having without it. */
export async function didDocumentOf(
  did: Did,
  directory: Pick<Directory, 'resolveDid'>,
): Promise<DataMap | undefined> {
  try {
    const { document } = await directory.resolveDid(did)
    return document as unknown as DataMap
  } catch (error) {
    if (error instanceof IdentityError) return undefined
    throw error
  }
}
