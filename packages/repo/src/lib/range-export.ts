import type { Block, BlockSource, Cid } from '@imago/data'
import { checkedSource } from './checked-source.ts'
import { type Commit, parseCommit } from './commit.ts'
import { requireBlock } from './export-repo.ts'
import { isRepoPath } from './key.ts'
import { Link } from './link.ts'
import { RepoError } from './repo-error.ts'
import { Subtree, type TreeNode } from './tree-node.ts'
import { type ExpectedCommit, openVerifiedCommit } from './verify-repo.ts'

/** Paths from the first one on, up to another that does not belong to it. */
export interface PathRange {
  readonly from: string
  readonly to: string
}

/** Every path of a collection: `/` is followed by `0` in ASCII. */
export const collectionRange = (collection: string): PathRange => ({
  from: `${collection}/`,
  to: `${collection}0`,
})

/** What a walk over a range comes by, in pre-order. */
type Visit = { readonly node: Subtree } | { readonly record: Cid; readonly path: string }

/**
 * Part of a repository, with the proof that it is all of that part: the commit, every node that could hold a path of the
 * range, and the records at those paths, in the order of {@link exportRepo}.
 * @throws {MissingBlockError} on reaching a block that is absent.
 * @throws {RepoError} InvalidCommit, InvalidMst, LimitExceeded
 */
export function* exportRange(
  store: BlockSource,
  head: Cid,
  range: PathRange,
): Generator<Block, void, undefined> {
  const bytes = requireBlock(store, head, 'commit')
  yield { cid: head, bytes }
  for (const visit of walkRange(store, parseCommit(bytes).data, range))
    if ('node' in visit) yield { cid: visit.node.cid, bytes: visit.node.block(store) }
    else yield { cid: visit.record, bytes: requireBlock(store, visit.record, `record ${visit.path}`) }
}

/**
 * Checks what {@link exportRange} made: every record of the range, none left out and none added, by path and in order.
 * @param car.roots the first is the commit.
 * @throws {MissingBlockError} when a node or record of the range is absent.
 * @throws {RepoError} InvalidBlock, InvalidCommit, InvalidSignature, InvalidMst, InvalidKey, LimitExceeded
 */
export function verifyRangeExport(
  car: { roots: readonly Cid[]; blocks: BlockSource },
  range: PathRange,
  expected: ExpectedCommit = {},
): { commit: Commit; cid: Cid; records: Map<string, Cid> } {
  const source = checkedSource(car.blocks)
  const { commit, cid } = openVerifiedCommit(car.roots, source, expected)
  const records = new Map<string, Cid>()
  let previous = ''
  for (const visit of walkRange(source, commit.data, range)) {
    if ('node' in visit) continue
    const { path, record } = visit
    if (path <= previous)
      throw new RepoError('InvalidMst', `${path} comes after ${previous}: the tree is not in order`)
    if (!isRepoPath(path)) throw new RepoError('InvalidKey', `${path} is no repository path, and in the tree`)
    requireBlock(source, record, `record ${path}`)
    records.set(path, record)
    previous = path
  }
  return { commit, cid, records }
}

/** A subtree holds paths between its neighbours only: one that cannot reach into the range is passed over. */
function* walkRange(
  source: BlockSource,
  root: Cid,
  { from, to }: PathRange,
): Generator<Visit, void, undefined> {
  const open: { node: TreeNode; slot: number }[] = []
  function* enter(subtree: Subtree, height: number | undefined): Generator<Visit, void, undefined> {
    const node = subtree.peek(source, height)
    open.push({ node, slot: 0 })
    yield { node: subtree }
  }
  yield* enter(Subtree.stub(Link.of(root)), undefined)
  for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
    const { node } = at
    const slot = at.slot++
    if (slot > 2 * node.keys.length) {
      open.pop()
      continue
    }
    const index = slot >> 1
    if (slot % 2 === 1) {
      const path = node.keys[index]!
      if (path >= from && path < to) yield { record: node.values[index]!.cid, path }
      continue
    }
    const subtree = node.subtrees[index]!
    if (subtree === null) continue
    const before = node.keys[index - 1]
    const after = node.keys[index]
    const mayHold = (before === undefined || before < to) && (after === undefined || after > from)
    if (mayHold) yield* enter(subtree, node.height - 1)
  }
}
