import type { Mst } from './mst.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'
import type { Subtree } from './tree-node.ts'

/**
 * Checks the shape of a tree, or of the part of it that its source has: nodes are canonical, every key stands at its
 * height, and keys ascend throughout. Values are not looked at.
 * @param options.partial whether absent nodes are passed over.
 * @throws {MissingBlockError} when a node is absent, unless `partial`.
 * @throws {RepoError} InvalidMst, LimitExceeded
 */
export function verifyTree(tree: Mst, options: { partial?: boolean } = {}): void {
  const { source } = tree
  /** The last key in a subtree, all of which come after the key before it; that key where it is passed over. */
  const visit = (subtree: Subtree, height: number | undefined, after: string): string => {
    const node = subtree.tryNode(source, height)
    if (node === undefined) {
      if (options.partial) return after
      throw new MissingBlockError(subtree.cid, 'MST node')
    }
    const { keys, subtrees } = node
    // Within the node keys ascend already, or it would not have been read.
    let previous = after
    for (let i = 0; i < subtrees.length; i++) {
      const child = subtrees[i]!
      const last = child === null ? previous : visit(child, node.height - 1, previous)
      const key = keys[i]
      if (key === undefined) return last
      if ((i === 0 || last !== previous) && key <= last)
        throw new RepoError('InvalidMst', `${key} comes after ${last}: the tree is not in order`)
      previous = key
    }
    return previous
  }
  visit(tree.rootNode, undefined, '')
}
