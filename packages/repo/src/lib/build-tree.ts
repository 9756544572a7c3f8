import type { Cid } from '@imago/data'
import { assertTreeKey, MAX_KEY_LENGTH } from './key.ts'
import { heightsOfKeys } from './key-height.ts'
import { Link } from './link.ts'
import { RepoError } from './repo-error.ts'
import { EMPTY_NODE, Subtree } from './tree-node.ts'

/** A node that still takes entries. The subtree after its last key is not known yet. */
interface OpenNode {
  keys: string[]
  values: Link[]
  subtrees: (Subtree | null)[]
}

/**
 * The tree of many entries in one pass over the sorted keys: an entry closes every node below its height.
 * @throws {RepoError} InvalidKey; KeyExists when a key stands twice; LimitExceeded.
 */
export function buildTree(entries: Iterable<readonly [key: string, cid: Cid]>): Subtree {
  const sorted = [...entries]
  if (!isAscending(sorted)) sorted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const heights = heightsOf(sorted)
  const open: OpenNode[] = []
  let previous = ''
  for (let i = 0; i < sorted.length; i++) {
    const [key, value] = sorted[i]!
    if (key === previous) throw new RepoError('KeyExists', `${key} is among the entries twice`)
    previous = key
    const height = heights[i]!
    while (open.length <= height) open.push({ keys: [], values: [], subtrees: [] })
    const node = open[height]!
    node.subtrees.push(closeBelow(open, height))
    node.keys.push(key)
    node.values.push(Link.of(value))
  }
  const root = closeBelow(open, open.length)
  return root ?? Subtree.of(EMPTY_NODE)
}

const isAscending = (entries: readonly (readonly [key: string, cid: Cid])[]) =>
  entries.every(([key], i) => i === 0 || entries[i - 1]![0] <= key)

/** Keys are hashed a few at a time. */
const KEYS_AT_ONCE = 64

/** @throws {RepoError} InvalidKey */
function heightsOf(entries: readonly (readonly [key: string, cid: Cid])[]): Uint8Array {
  const heights = new Uint8Array(entries.length)
  const text = new Uint8Array(KEYS_AT_ONCE * MAX_KEY_LENGTH)
  const ends = new Int32Array(KEYS_AT_ONCE)
  for (let first = 0; first < entries.length; first += KEYS_AT_ONCE) {
    const count = Math.min(KEYS_AT_ONCE, entries.length - first)
    for (let i = 0, to = 0; i < count; i++) {
      const key = entries[first + i]![0]
      assertTreeKey(key)
      for (let n = 0; n < key.length; n++) text[to++] = key.charCodeAt(n)
      ends[i] = to
    }
    heightsOfKeys(text, ends, count, heights.subarray(first))
  }
  return heights
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
