import type { Did } from '@imago/syntax'
import { XrpcError } from '@imago/xrpc'
import { type Account, type Head, statusOf } from '../state/account.ts'

const notFound = (did: Did) =>
  new XrpcError(404, 'RepoNotFound', `no host that this relay reads has told of ${did}`)

/** @throws {XrpcError} 404 RepoNotFound */
export function knownAccount(account: (did: Did) => Account | undefined, did: Did): Account {
  const found = account(did)
  if (found === undefined) throw notFound(did)
  return found
}

const REFUSALS: Readonly<Record<string, string>> = {
  takendown: 'RepoTakendown',
  suspended: 'RepoSuspended',
  deactivated: 'RepoDeactivated',
  deleted: 'RepoDeleted',
}

/** @throws {XrpcError} 404 RepoNotFound; 403 with a name that says why the account is not active. */
export function activeAccount(account: (did: Did) => Account | undefined, did: Did): Account {
  const found = knownAccount(account, did)
  const { active, status } = statusOf(found)
  if (!active)
    throw new XrpcError(403, REFUSALS[status!] ?? 'RepoInactive', `the account ${did} is ${status}`)
  return found
}

/** @throws {XrpcError} as {@link activeAccount} does, and 404 RepoNotSynchronized before the first commit. */
export function activeHead(account: (did: Did) => Account | undefined, did: Did): Head {
  const { head } = activeAccount(account, did)
  if (head === undefined)
    throw new XrpcError(404, 'RepoNotSynchronized', `no commit of ${did} has come through this relay yet`)
  return head
}
