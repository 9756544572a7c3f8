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
  let previous = ''
  const visit = (subtree: Subtree, height: number | undefined): void => {
    const node = subtree.tryNode(source, height)
    if (node === undefined) {
      if (options.partial) return
      throw new MissingBlockError(subtree.cid, 'MST node')
    }
    for (let i = 0; i < node.subtrees.length; i++) {
      const child = node.subtrees[i]!
      if (child !== null) visit(child, node.height - 1)
      const key = node.keys[i]
      if (key === undefined) return
      if (key <= previous)
        throw new RepoError('InvalidMst', `${key} comes after ${previous}: the tree is not in order`)
      previous = key
    }
  }
  visit(tree.rootNode, undefined)
}
