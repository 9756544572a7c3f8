import { BlockMap } from '@imago/data'
import type { Mst } from './mst.ts'
import { positionOf, type Subtree } from './tree-node.ts'

/**
 * The nodes of `tree` that someone needs who undoes operations on `keys` without the rest of the tree: for each key the
 * path to it (or to where it would be), to the entry before it and to the entry after it. With these, whatever splitting
 * and merging the undoing takes, in any order of the operations, stays among the nodes given.
 * @throws {MissingBlockError} when one of them is absent.
 * @throws {RepoError} InvalidMst, LimitExceeded
 * @see https://atproto.com/specs/sync#commit-validation-mst-operation-inversion
 */
export function coveringProof(tree: Mst, keys: Iterable<string>): BlockMap {
  const proof = new BlockMap()
  for (const key of keys) addCoveringProof(tree, key, proof)
  return proof
}

/** Puts the nodes of the {@link coveringProof} of one key among others. */
export function addCoveringProof(tree: Mst, key: string, blocks: BlockMap): void {
  addPath(tree, key, blocks, 'with neighbours')
}

/** The nodes between the root and `key`, or where it would be. */
export function searchPath(tree: Mst, key: string): BlockMap {
  const path = new BlockMap()
  addPath(tree, key, path, 'alone')
  return path
}

function addPath(tree: Mst, key: string, proof: BlockMap, mode: 'alone' | 'with neighbours'): void {
  const { source } = tree
  const load = (subtree: Subtree, height: number | undefined) => {
    const node = subtree.node(source, height)
    proof.set(subtree.cid, subtree.block(source))
    return node
  }
  /** Down the edge that faces `key`: its end holds the neighbour. */
  const descend = (subtree: Subtree | null, height: number, side: 'first' | 'last') => {
    for (let next = subtree, at = height; next !== null; at--) {
      const node = load(next, at)
      next = node.subtrees.at(side === 'first' ? 0 : -1)!
    }
  }
  let node = load(tree.rootNode, undefined)
  while (true) {
    const index = positionOf(node.keys, key)
    const below = node.subtrees[index]!
    if (node.keys[index] === key) {
      if (mode === 'alone') return
      descend(below, node.height - 1, 'last')
      descend(node.subtrees[index + 1]!, node.height - 1, 'first')
      return
    }
    // Where `key` is absent both neighbours stand on this path already.
    if (below === null) return
    node = load(below, node.height - 1)
  }
}
