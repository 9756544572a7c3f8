import type { Keypair } from '@imago/crypto'
import { type CommitResult, writeCommit } from '@imago/repo'
import type { Did, TidClock } from '@imago/syntax'
import type { NewRepo, RepoStatus } from '../repos/repo-store.ts'

/** The commit that a repository without records begins with. */
export function firstCommit(did: Did, keypair: Keypair, clock: TidClock): CommitResult {
  return writeCommit({
    did,
    source: { get: () => undefined },
    head: null,
    writes: [],
    rev: clock.next(),
    keypair,
  })
}

/** What the store keeps of it. */
export function newRepo(
  did: Did,
  keypair: Keypair,
  { signed, newBlocks }: CommitResult,
  status: RepoStatus | undefined,
): NewRepo {
  const { cid, bytes, commit } = signed
  return {
    did,
    signingKey: keypair.exportSecret(),
    head: { cid, rev: commit.rev, data: commit.data, commitBytes: bytes },
    nodes: [...newBlocks].filter((block) => !block.cid.equals(cid)),
    status,
  }
}
