import type { Cid } from '@imago/data'
import { assertTreeKey } from './key.ts'
import { keyHeight } from './key-height.ts'
import { RepoError } from './repo-error.ts'
import { EMPTY_NODE, Subtree } from './tree-node.ts'

/** A node that still takes entries. The subtree after its last key is not known yet. */
interface OpenNode {
  keys: string[]
  values: Cid[]
  subtrees: (Subtree | null)[]
}

/**
 * The tree of many entries in one pass over the sorted keys: an entry closes every node below its height.
 * @throws {RepoError} InvalidKey; KeyExists when a key stands twice; LimitExceeded.
 */
export function buildTree(entries: Iterable<readonly [key: string, cid: Cid]>): Subtree {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const open: OpenNode[] = []
  let previous = ''
  for (const [key, value] of sorted) {
    assertTreeKey(key)
    if (key === previous) throw new RepoError('KeyExists', `${key} is among the entries twice`)
    previous = key
    const height = keyHeight(key)
    while (open.length <= height) open.push({ keys: [], values: [], subtrees: [] })
    const node = open[height]!
    node.subtrees.push(closeBelow(open, height))
    node.keys.push(key)
    node.values.push(value)
  }
  const root = closeBelow(open, open.length)
  return root ?? Subtree.of(EMPTY_NODE)
}

/** The subtree of everything gathered below `height`, which begins anew there. */
function closeBelow(open: OpenNode[], height: number): Subtree | null {
  let closed: Subtree | null = null
  for (let below = 0; below < height; below++) {
    const { keys, values, subtrees } = open[below]!
    if (keys.length === 0 && closed === null) continue
    closed = Subtree.of({ height: below, keys, values, subtrees: [...subtrees, closed] })
    open[below] = { keys: [], values: [], subtrees: [] }
  }
  return closed
}
