import type { PublicKey } from '@imago/crypto'
import { BlockMap, type BlockSource, type Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import { checkedSource } from './checked-source.ts'
import { type Commit, parseCommit } from './commit.ts'
import { requireBlock } from './export-repo.ts'
import { assertRepoPath } from './key.ts'
import { Mst } from './mst.ts'
import { searchPath } from './proof.ts'
import { openVerifiedCommit } from './verify-repo.ts'

/**
 * The blocks that prove what stands at `path`: the commit, the nodes on the way, and the record; or, where there is no
 * record, the nodes that show so.
 * @param head CID of the commit.
 * @throws {MissingBlockError} when one of them is absent.
 * @throws {RepoError} InvalidKey, InvalidCommit, InvalidMst, LimitExceeded
 */
export function recordProof(source: BlockSource, head: Cid, path: string): BlockMap {
  assertRepoPath(path)
  const commitBytes = requireBlock(source, head, 'commit')
  const tree = Mst.open(source, parseCommit(commitBytes).data)
  const proof = new BlockMap([{ cid: head, bytes: commitBytes }]).addAll(searchPath(tree, path))
  const cid = tree.get(path)
  if (cid !== undefined) proof.set(cid, requireBlock(source, cid, `record ${path}`))
  return proof
}

/** What a proof shows about one path. */
export interface VerifiedRecord {
  readonly commit: Commit
  /** The record and its block, or `null` when the proof shows that there is none. */
  readonly record: { readonly cid: Cid; readonly bytes: Uint8Array } | null
}

/**
 * Checks a proof made by {@link recordProof}: every block that it stands on is hashed.
 * @param proof.roots the first is the commit.
 * @param expected whose repository it has to be, and who has to have signed it. Without a key the signature is not
 *   looked at, and the proof shows no more than what the commit holds.
 * @throws {MissingBlockError} when the proof is incomplete.
 * @throws {RepoError} InvalidKey, InvalidBlock, InvalidCommit, InvalidSignature, InvalidMst, LimitExceeded
 */
export function verifyRecordProof(
  proof: { roots: readonly Cid[]; blocks: BlockSource },
  path: string,
  expected: { did?: Did; key?: PublicKey } = {},
): VerifiedRecord {
  assertRepoPath(path)
  const source = checkedSource(proof.blocks)
  const { commit } = openVerifiedCommit(proof.roots, source, expected)
  const cid = Mst.open(source, commit.data).get(path)
  if (cid === undefined) return { commit, record: null }
  return { commit, record: { cid, bytes: requireBlock(source, cid, `record ${path}`) } }
}
