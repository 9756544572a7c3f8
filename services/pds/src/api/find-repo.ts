import { type AtIdentifier, type Did, type Handle, isDid, normalizeHandle } from '@imago/syntax'
import { invalidRequest, XrpcError } from '@imago/xrpc'
import type { Account, AccountStore } from '../accounts/account-store.ts'
import type { RepoHead, RepoSnapshot, RepoStatus, RepoStore } from '../repos/repo-store.ts'

/**
 * The account that a `repo` parameter names, whatever its status.
 * @throws {XrpcError} RepoNotFound
 */
export async function findAccount(
  accounts: Pick<AccountStore, 'get' | 'byHandle'>,
  repo: AtIdentifier,
): Promise<Account> {
  const account = isDid(repo)
    ? await accounts.get(repo)
    : await accounts.byHandle(normalizeHandle(repo as Handle))
  if (account === undefined) throw notFound(repo)
  return account
}

/**
 * The DID of the repository that a `repo` parameter names, if it is served.
 * @throws {XrpcError} RepoNotFound, or why it is not served.
 */
export async function servedDid(
  accounts: Pick<AccountStore, 'get' | 'byHandle'>,
  repo: AtIdentifier,
): Promise<Did> {
  const { did, status } = await findAccount(accounts, repo)
  assertServed(did, status)
  return did
}

/**
 * Where a repository stands, if it is served.
 * @throws {XrpcError} RepoNotFound, RepoTakendown, RepoSuspended, RepoDeactivated
 */
export async function servedHead(repos: Pick<RepoStore, 'head'>, did: Did): Promise<RepoHead> {
  const head = await repos.head(did)
  if (head === undefined) throw notFound(did)
  assertServed(did, head.status)
  return head
}

/**
 * One moment of a repository, if it is served. The caller closes it.
 * @throws {XrpcError} as {@link servedHead}.
 */
export async function servedSnapshot(repos: Pick<RepoStore, 'snapshot'>, did: Did): Promise<RepoSnapshot> {
  const snapshot = await repos.snapshot(did)
  if (snapshot === undefined) throw notFound(did)
  try {
    assertServed(did, snapshot.head.status)
    return snapshot
  } catch (error) {
    snapshot[Symbol.dispose]()
    throw error
  }
}

/** @throws {XrpcError} unless the caller's own repository is meant. */
export function assertOwnRepo({ did, handle }: Account, repo: AtIdentifier): void {
  if (repo === did || (!isDid(repo) && normalizeHandle(repo as Handle) === handle)) return
  throw invalidRequest(
    `repo is ${repo}, and the session is one of ${did}: only your own repository can be written to`,
  )
}

const ERROR_OF_STATUS = {
  deactivated: 'RepoDeactivated',
  takendown: 'RepoTakendown',
  suspended: 'RepoSuspended',
} as const satisfies Record<RepoStatus, string>

function assertServed(did: Did, status: RepoStatus | undefined): void {
  if (status !== undefined)
    throw new XrpcError(
      400,
      ERROR_OF_STATUS[status],
      `the repository of ${did} is not served: it is ${status}`,
    )
}

const notFound = (repo: string) => invalidRequest(`no repository of ${repo} lies here`, 'RepoNotFound')
