import type { Mst } from './mst.ts'
import type { RepoOp } from './repo-op.ts'
import { type Item, TreeWalk } from './tree-walk.ts'

/**
 * What turns one tree into another, in the order of paths. Subtrees that both have are passed over without being
 * loaded; the cost is in what differs.
 * @throws {MissingBlockError} when a node that may differ is absent.
 * @throws {RepoError} InvalidMst, LimitExceeded
 */
export function diffTrees(from: Mst, to: Mst): RepoOp[] {
  const ops: RepoOp[] = []
  if (from.rootNode.link.equals(to.rootNode.link)) return ops
  const before = new TreeWalk(from.source, from.rootNode)
  const after = new TreeWalk(to.source, to.rootNode)
  const takeBefore = () => {
    const { key: path, value } = before.item as Entry
    ops.push({ action: 'delete', path, cid: null, prev: value.cid })
    before.skip()
  }
  const takeAfter = () => {
    const { key: path, value } = after.item as Entry
    ops.push({ action: 'create', path, cid: value.cid, prev: null })
    after.skip()
  }
  while (before.item !== undefined || after.item !== undefined) {
    const a = before.item
    const b = after.item
    if (a === undefined || b === undefined) {
      const [walk, item, take] = a === undefined ? [after, b!, takeAfter] : [before, a, takeBefore]
      if (isSubtree(item)) walk.enter()
      else take()
    } else if (isSubtree(a) && isSubtree(b)) {
      if (a.subtree.link.equals(b.subtree.link)) {
        before.skip()
        after.skip()
      } else {
        // The higher one may hold the other: enter it alone, and they may meet.
        const heightOfB = b.height
        if (a.height <= heightOfB) after.enter()
        if (a.height >= heightOfB) before.enter()
      }
    } else if (isSubtree(a)) {
      // Entries that come before this very subtree in the one tree, and not in the other, are new.
      if (after.subtreeAhead()?.link.equals(a.subtree.link)) takeAfter()
      else before.enter()
    } else if (isSubtree(b)) {
      if (before.subtreeAhead()?.link.equals(b.subtree.link)) takeBefore()
      else after.enter()
    } else if (a.key < b.key) takeBefore()
    else if (a.key > b.key) takeAfter()
    else {
      if (!a.value.equals(b.value))
        ops.push({ action: 'update', path: a.key, cid: b.value.cid, prev: a.value.cid })
      before.skip()
      after.skip()
    }
  }
  return ops
}

type Entry = Extract<Item, { key: string }>
const isSubtree = (item: Item): item is Exclude<Item, Entry> => 'subtree' in item
