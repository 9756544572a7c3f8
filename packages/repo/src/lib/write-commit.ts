import type { Keypair } from '@imago/crypto'
import { type Block, BlockMap, type BlockSource, type Cid, cidOfDrisl } from '@imago/data'
import type { Did, Tid } from '@imago/syntax'
import { type SignedCommit, signCommit } from './commit.ts'
import { assertRepoPath } from './key.ts'
import { Mst } from './mst.ts'
import { addCoveringProof } from './proof.ts'
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
  /** Nodes that the tree did not have before, each before its children. */
  readonly newNodes: readonly Block[]
  /** To be stored: the commit, {@link CommitResult.newNodes} and new records. */
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
  tree.rootNode.build()
  const signed = signCommit({ did, data: tree.root, rev }, keypair)
  const { added, removed } = nodeChanges(head === null ? null : before, tree)
  const frameBlocks = new BlockMap([signed]).addAll(added)
  for (const { path } of ops) addCoveringProof(tree, path, frameBlocks)
  frameBlocks.addAll(records)
  return new Written({
    signed,
    since: head?.rev ?? null,
    prevData: head?.data ?? null,
    ops,
    tree,
    newNodes: added,
    records,
    frameBlocks,
    removedNodes: removed,
  })
}

/** A class for its getter: V8 gives each object literal with one a shape of its own, and keeps what it holds for long. */
class Written implements CommitResult {
  readonly signed: SignedCommit
  readonly since: Tid | null
  readonly prevData: Cid | null
  readonly ops: readonly RepoOp[]
  readonly tree: Mst
  readonly newNodes: readonly Block[]
  readonly frameBlocks: BlockMap
  readonly removedNodes: readonly Cid[]
  readonly #records: readonly Block[]

  constructor(result: Omit<CommitResult, 'newBlocks'> & { readonly records: readonly Block[] }) {
    this.signed = result.signed
    this.since = result.since
    this.prevData = result.prevData
    this.ops = result.ops
    this.tree = result.tree
    this.newNodes = result.newNodes
    this.frameBlocks = result.frameBlocks
    this.removedNodes = result.removedNodes
    this.#records = result.records
  }

  /** Whoever keeps nodes and records apart has no use for them together. */
  get newBlocks(): BlockMap {
    return new BlockMap([this.signed]).addAll(this.newNodes).addAll(this.#records)
  }
}

function applyWrites(
  before: Mst,
  writes: readonly RepoWrite[],
): { tree: Mst; ops: RepoOp[]; records: Block[] } {
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
  const records: Block[] = []
  for (const [path, { prev, block }] of touched) {
    const cid = block?.cid ?? null
    if (cid === null ? prev === null : prev?.equals(cid)) continue
    ops.push({ action: prev === null ? 'create' : cid === null ? 'delete' : 'update', path, cid, prev })
    if (block !== null) records.push(block)
  }
  return { tree, ops, records }
}

/**
 * Nodes that editing brought and took, without looking at what both trees share: whatever an edit replaced it had
 * loaded, and whatever new nodes point to without having made it they took over from the tree before, as it was.
 * @param from what `to` was made from by edits; `null` when none of its nodes is stored.
 */
function nodeChanges(from: Mst | null, to: Mst): { added: Block[]; removed: Cid[] } {
  const added = new BlockMap()
  const kept = new Set<Subtree>()
  const collect = (subtree: Subtree): void => {
    if (subtree.stored) {
      kept.add(subtree)
      return
    }
    added.set(subtree.cid, subtree.block(to.source))
    for (const child of subtree.loaded!.subtrees) if (child !== null) collect(child)
  }
  collect(to.rootNode)
  const removed: Cid[] = []
  const compare = (subtree: Subtree): void => {
    if (kept.has(subtree)) return
    // An edit may have come back to the very node that was there.
    if (!added.delete(subtree.cid)) removed.push(subtree.cid)
    for (const child of subtree.loaded?.subtrees ?? []) if (child !== null) compare(child)
  }
  if (from !== null) compare(from.rootNode)
  return { added: [...added], removed }
}
