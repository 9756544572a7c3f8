import type { PublicKey } from '@imago/crypto'
import type { BlockSource, Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import { checkedSource } from './checked-source.ts'
import { type Commit, parseCommit, verifyCommitSignature } from './commit.ts'
import { requireBlock } from './export-repo.ts'
import { isRepoPath } from './key.ts'
import { Mst } from './mst.ts'
import { RepoError } from './repo-error.ts'

/** A repository that is whole, and what it should be. */
export interface VerifiedRepo {
  readonly commit: Commit
  /** CID of the commit. */
  readonly cid: Cid
  /** CIDs of records by path, in the order of paths. */
  readonly records: Map<string, Cid>
}

/**
 * Checks a whole repository: every block that it consists of is there and is what its CID says, nodes are canonical and
 * at their heights, keys ascend throughout and name records, and the commit is who it should be about and by whom it
 * should be signed. Records are hashed, not decoded. Blocks that the repository does not refer to are not looked at.
 * @param car.roots the first is the commit; others may follow.
 * @param expected what is left out is not checked.
 * @throws {MissingBlockError} when a block is absent.
 * @throws {RepoError} InvalidBlock, InvalidCommit, InvalidSignature, InvalidMst, InvalidKey, LimitExceeded
 */
export function verifyRepo(
  car: { roots: readonly Cid[]; blocks: BlockSource },
  expected: ExpectedCommit = {},
): VerifiedRepo {
  const source = checkedSource(car.blocks)
  const { commit, cid } = openVerifiedCommit(car.roots, source, expected)
  const records = new Map<string, Cid>()
  for (const [path, value] of Mst.open(source, commit.data).entries()) {
    if (!isRepoPath(path)) throw new RepoError('InvalidKey', `${path} is no repository path, and in the tree`)
    requireBlock(source, value, `record ${path}`)
    records.set(path, value)
  }
  return { commit, cid, records }
}

/** What a commit has to be; what is left out is not checked. */
export interface ExpectedCommit {
  readonly did?: Did
  readonly key?: PublicKey
}

/** The commit that the first root names, checked against what is expected of it. */
export function openVerifiedCommit(
  roots: readonly Cid[],
  source: BlockSource,
  expected: ExpectedCommit,
): { commit: Commit; cid: Cid } {
  const cid = roots[0]
  if (cid === undefined) throw new RepoError('InvalidCommit', 'no root: the first one has to be the commit')
  return { commit: checkedCommit(cid, requireBlock(source, cid, 'commit'), expected), cid }
}

/** @throws {RepoError} InvalidCommit, InvalidSignature */
export function checkedCommit(cid: Cid, bytes: Uint8Array, expected: ExpectedCommit): Commit {
  const commit = parseCommit(bytes)
  if (expected.did !== undefined && commit.did !== expected.did)
    throw new RepoError('InvalidCommit', `the repository of ${commit.did}, not of ${expected.did}`)
  if (expected.key !== undefined && !verifyCommitSignature(commit, expected.key))
    throw new RepoError('InvalidSignature', `commit ${cid} is not signed by ${expected.key.didKey}`)
  return commit
}
