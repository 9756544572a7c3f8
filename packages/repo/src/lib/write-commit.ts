import type { Keypair } from '@imago/crypto'
import { type Block, BlockMap, type BlockSource, type Cid, cidOfDrisl } from '@imago/data'
import type { Did, Tid } from '@imago/syntax'
import { type SignedCommit, signCommit } from './commit.ts'
import { assertRepoPath } from './key.ts'
import { Mst } from './mst.ts'
import { coveringProof } from './proof.ts'
import { RepoError } from './repo-error.ts'
import type { RepoOp } from './repo-op.ts'
import type { Subtree } from './tree-node.ts'

/** One thing to do to a repository. Several on one path are done in order, and told as what they come to. */
export type RepoWrite =
  | { readonly action: 'create' | 'update'; readonly path: string; readonly block: Block }
  | { readonly action: 'delete'; readonly path: string }

/** Where a repository stands. */
export interface RepoHead {
  /** Root of the tree. */
  readonly data: Cid
  readonly rev: Tid
}

/** A commit, and all that its store and its event need to hold. */
export interface CommitResult {
  readonly signed: SignedCommit
  /** Rev of the commit before this one; `null` for the first. */
  readonly since: Tid | null
  /** Root of the tree before this commit; `null` for the first. */
  readonly prevData: Cid | null
  /** What changed, each path once, in the order in which the writes first name them. */
  readonly ops: readonly RepoOp[]
  readonly tree: Mst
  /** To be stored: the commit, new nodes and new records. */
  readonly newBlocks: BlockMap
  /** To be sent: the commit, every node that undoing {@link CommitResult.ops} takes, and new records. */
  readonly frameBlocks: BlockMap
  /**
   * Nodes that the new tree does not have any more. Records that went are not told: the same block may stand at another
   * path, which only the store's index knows.
   */
  readonly removedNodes: readonly Cid[]
}

/**
 * Makes the next commit of a repository. Writes that come to nothing still make a commit, with no operations: whoever
 * does not want that looks first.
 * @param options.head where the repository stands; `null` before its first commit.
 * @param options.rev greater than the head's.
 * @throws {RepoError} KeyExists, KeyAbsent, InvalidKey; StaleRev; InvalidBlock when a record is not what its CID says;
 *   InvalidMst and LimitExceeded.
 * @throws {MissingBlockError} when a node that the writes or the proof take is not in the source.
 */
export function writeCommit(options: {
  did: Did
  source: BlockSource
  head: RepoHead | null
  writes: readonly RepoWrite[]
  rev: Tid
  keypair: Keypair
}): CommitResult {
  const { did, source, head, writes, rev, keypair } = options
  if (head !== null && rev <= head.rev)
    throw new RepoError('StaleRev', `rev ${rev} does not come after ${head.rev}, that of the last commit`)
  const before = head === null ? Mst.empty() : Mst.open(source, head.data)
  const { tree, ops, records } = applyWrites(before, writes)
  const signed = signCommit({ did, data: tree.root, rev }, keypair)
  const { added, removed } = nodeChanges(head === null ? null : before, tree)
  const newBlocks = new BlockMap([signed]).addAll(added).addAll(records)
  const frameBlocks = new BlockMap([signed])
    .addAll(added)
    .addAll(
      coveringProof(
        tree,
        ops.map((op) => op.path),
      ),
    )
    .addAll(records)
  return {
    signed,
    since: head?.rev ?? null,
    prevData: head?.data ?? null,
    ops,
    tree,
    newBlocks,
    frameBlocks,
    removedNodes: removed,
  }
}

function applyWrites(
  before: Mst,
  writes: readonly RepoWrite[],
): { tree: Mst; ops: RepoOp[]; records: BlockMap } {
  let tree = before
  /** By path: the record before all writes, and the block of the last write. */
  const touched = new Map<string, { prev: Cid | null; block: Block | null }>()
  for (const write of writes) {
    const { path } = write
    assertRepoPath(path)
    const prev = touched.has(path) ? touched.get(path)!.prev : (tree.get(path) ?? null)
    if (write.action === 'delete') {
      tree = tree.delete(path)
      touched.set(path, { prev, block: null })
    } else {
      const { cid, bytes } = write.block
      if (!cidOfDrisl(bytes).equals(cid))
        throw new RepoError('InvalidBlock', `the bytes of the record at ${path} do not have the CID ${cid}`)
      tree = write.action === 'create' ? tree.insert(path, cid) : tree.update(path, cid)
      touched.set(path, { prev, block: write.block })
    }
  }
  const ops: RepoOp[] = []
  const records = new BlockMap()
  for (const [path, { prev, block }] of touched) {
    const cid = block?.cid ?? null
    if (cid === null ? prev === null : prev?.equals(cid)) continue
    ops.push({ action: prev === null ? 'create' : cid === null ? 'delete' : 'update', path, cid, prev })
    if (block !== null) records.set(block.cid, block.bytes)
  }
  return { tree, ops, records }
}

/**
 * Nodes that editing brought and took, without looking at what both trees share: whatever an edit replaced it had
 * loaded, and whatever new nodes point to without having made it was there before.
 * @param from what `to` was made from by edits; `null` when none of its nodes is stored.
 */
function nodeChanges(from: Mst | null, to: Mst): { added: BlockMap; removed: Cid[] } {
  const added = new BlockMap()
  const kept = new BlockMap()
  const collect = (subtree: Subtree): void => {
    if (subtree.stored) {
      kept.set(subtree.cid, NOTHING)
      return
    }
    added.set(subtree.cid, subtree.block(to.source))
    for (const child of subtree.loaded!.subtrees) if (child !== null) collect(child)
  }
  collect(to.rootNode)
  const removed: Cid[] = []
  const compare = (subtree: Subtree): void => {
    if (kept.has(subtree.cid)) return
    // An edit may have come back to the very node that was there.
    if (!added.delete(subtree.cid)) removed.push(subtree.cid)
    for (const child of subtree.loaded?.subtrees ?? []) if (child !== null) compare(child)
  }
  if (from !== null) compare(from.rootNode)
  return { added, removed }
}

const NOTHING = new Uint8Array(0)
