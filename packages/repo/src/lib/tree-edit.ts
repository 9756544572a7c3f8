import type { BlockSource } from '@imago/data'
import type { Link } from './link.ts'
import { RepoError } from './repo-error.ts'
import { isEmpty, positionOf, Subtree, type TreeNode } from './tree-node.ts'

// Each edit answers with the new root, having built new nodes along one path. Three rules of canonical shape do all the
// work: an entry stands at the height of its key, every height in between has a node (even one that only passes
// through), and nodes without entries and children do not exist. The root alone is trimmed: see trimRoot.

/** @throws {RepoError} KeyExists */
export function insertEntry(
  source: BlockSource,
  root: Subtree,
  key: string,
  height: number,
  value: Link,
): Subtree {
  const node = root.node(source, undefined)
  if (isEmpty(node)) return Subtree.of({ height, keys: [key], values: [value], subtrees: [null, null] })
  if (height <= node.height) return insertInto(source, node, key, height, value)
  const [left, right] = split(source, root, node.height, key)
  return Subtree.of({
    height,
    keys: [key],
    values: [value],
    subtrees: [lift(left, node.height, height - 1), lift(right, node.height, height - 1)],
  })
}

function insertInto(source: BlockSource, node: TreeNode, key: string, height: number, value: Link): Subtree {
  const index = positionOf(node.keys, key)
  if (node.keys[index] === key) throw new RepoError('KeyExists', `${key} is in the tree already`)
  const below = node.subtrees[index]!
  const childHeight = node.height - 1
  if (node.height > height) {
    const child =
      below === null
        ? lift(
            Subtree.of({ height, keys: [key], values: [value], subtrees: [null, null] }),
            height,
            childHeight,
          )
        : insertInto(source, below.node(source, childHeight), key, height, value)
    return withSubtree(node, index, child)
  }
  const [left, right] = split(source, below, childHeight, key)
  return Subtree.of({
    height,
    keys: node.keys.toSpliced(index, 0, key),
    values: node.values.toSpliced(index, 0, value),
    subtrees: node.subtrees.toSpliced(index, 1, left, right),
  })
}

/** What of a subtree comes before `key`, and what after. Whatever lies wholly on one side is not rebuilt. */
function split(
  source: BlockSource,
  subtree: Subtree | null,
  height: number,
  key: string,
): [Subtree | null, Subtree | null] {
  if (subtree === null) return [null, null]
  const node = subtree.node(source, height)
  const index = positionOf(node.keys, key)
  if (node.keys[index] === key) throw new RepoError('KeyExists', `${key} is in the tree already`)
  const between = node.subtrees[index]!
  const [left, right] = split(source, between, height - 1, key)
  if (right === null && index === node.keys.length && left === between) return [subtree, null]
  if (left === null && index === 0 && right === between) return [null, subtree]
  return [
    unlessEmpty({
      height,
      keys: node.keys.slice(0, index),
      values: node.values.slice(0, index),
      subtrees: [...node.subtrees.slice(0, index), left],
    }),
    unlessEmpty({
      height,
      keys: node.keys.slice(index),
      values: node.values.slice(index),
      subtrees: [right, ...node.subtrees.slice(index + 1)],
    }),
  ]
}

/** A subtree under as many nodes that only pass through as it takes to stand at `to`. */
function lift(subtree: Subtree | null, from: number, to: number): Subtree | null {
  if (subtree === null) return null
  let lifted = subtree
  for (let height = from + 1; height <= to; height++)
    lifted = Subtree.of({ height, keys: [], values: [], subtrees: [lifted] })
  return lifted
}

const unlessEmpty = (node: TreeNode) => (isEmpty(node) ? null : Subtree.of(node))

/** @throws {RepoError} KeyAbsent */
export function replaceEntry(
  source: BlockSource,
  root: Subtree,
  key: string,
  height: number,
  value: Link,
): Subtree {
  const replaceIn = (node: TreeNode): Subtree => {
    const index = positionOf(node.keys, key)
    if (node.keys[index] === key) return Subtree.of({ ...node, values: node.values.with(index, value) })
    return withSubtree(node, index, replaceIn(childOnPath(source, node, index, key, height)))
  }
  return replaceIn(root.node(source, undefined))
}

/** The new root, or `null` when nothing is left. @throws {RepoError} KeyAbsent */
export function removeEntry(source: BlockSource, root: Subtree, key: string, height: number): Subtree | null {
  const removeFrom = (node: TreeNode): Subtree | null => {
    const index = positionOf(node.keys, key)
    if (node.keys[index] !== key) {
      const child = removeFrom(childOnPath(source, node, index, key, height))
      return child === null && node.keys.length === 0 ? null : withSubtree(node, index, child)
    }
    const merged = merge(source, node.subtrees[index]!, node.subtrees[index + 1]!, node.height - 1)
    return unlessEmpty({
      height: node.height,
      keys: node.keys.toSpliced(index, 1),
      values: node.values.toSpliced(index, 1),
      subtrees: node.subtrees.toSpliced(index, 2, merged),
    })
  }
  const rest = removeFrom(root.node(source, undefined))
  return rest === null ? null : trimRoot(source, rest)
}

/** A node with another child. Where one comes or goes, the block takes another form. */
function withSubtree(node: TreeNode, index: number, child: Subtree | null): Subtree {
  const { height, keys, values, pattern } = node
  const subtrees = node.subtrees.with(index, child)
  if (pattern === undefined || (child === null) !== (node.subtrees[index] === null))
    return Subtree.of({ height, keys, values, subtrees })
  return Subtree.of({ height, keys, values, subtrees, pattern })
}

function childOnPath(
  source: BlockSource,
  node: TreeNode,
  index: number,
  key: string,
  height: number,
): TreeNode {
  const child = node.subtrees[index]
  if (node.height <= height || child == null) throw new RepoError('KeyAbsent', `${key} is not in the tree`)
  return child.node(source, node.height - 1)
}

/** Two neighbours of one height, the entry between them gone, as one. */
function merge(
  source: BlockSource,
  left: Subtree | null,
  right: Subtree | null,
  height: number,
): Subtree | null {
  if (left === null) return right
  if (right === null) return left
  const a = left.node(source, height)
  const b = right.node(source, height)
  const seam = merge(source, a.subtrees[a.keys.length]!, b.subtrees[0]!, height - 1)
  return Subtree.of({
    height,
    keys: [...a.keys, ...b.keys],
    values: [...a.values, ...b.values],
    subtrees: [...a.subtrees.slice(0, -1), seam, ...b.subtrees.slice(1)],
  })
}

/**
 * The root without the nodes above it that only pass through. Its child may be a stub: then it is taken for the root as
 * it is, and an operation that needs its insides finds out that they are missing.
 */
function trimRoot(source: BlockSource, root: Subtree): Subtree {
  let top = root
  for (let node = top.loaded; node !== undefined && node.keys.length === 0 && node.subtrees[0] != null; ) {
    top = node.subtrees[0]
    node = top.tryNode(source, node.height - 1)
  }
  return top
}
