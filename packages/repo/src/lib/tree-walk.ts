import type { BlockSource } from '@imago/data'
import type { Link } from './link.ts'
import { RepoError } from './repo-error.ts'
import { positionOf, type Subtree, type TreeNode } from './tree-node.ts'

/** Where a walk stands: at an entry, or before a subtree that can be entered or passed over. */
export type Item =
  | { readonly key: string; readonly value: Link }
  | { readonly subtree: Subtree; readonly height: number }

interface Frame {
  readonly node: TreeNode
  /** Even: the subtree `slot / 2`. Odd: the entry `(slot - 1) / 2`. */
  slot: number
}

/**
 * A walk through a tree in the order of its keys that loads a node only when told to enter it, and remembers none: a
 * walk holds as many nodes as the tree is high. Keys have to ascend, or one subtree in many places would make it endless.
 * @throws {RepoError} InvalidMst, on coming to a key that does not.
 */
export class TreeWalk {
  readonly #source: BlockSource
  readonly #frames: Frame[]
  #current: Item | undefined
  /** What the next key has to come after, and the node that it stands in: within one, keys ascend. */
  #previous = ''
  #previousNode: TreeNode | undefined

  constructor(source: BlockSource, root: Subtree) {
    this.#source = source
    this.#frames = [{ node: root.peek(source, undefined), slot: 0 }]
    this.#settle()
  }

  /** `undefined` at the end. */
  get item(): Item | undefined {
    return this.#current
  }

  /** Past the item at hand. */
  skip(): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) return
    frame.slot++
    this.#settle()
  }

  /** Into the subtree at hand: the node that it turned out to be. */
  enter(): TreeNode {
    const { subtree, height } = this.#current as Extract<Item, { subtree: Subtree }>
    const node = subtree.peek(this.#source, height)
    this.#frames.at(-1)!.slot++
    this.#frames.push({ node, slot: 0 })
    this.#settle()
    return node
  }

  /** To the first key after `key`, entering only what lies on the path there. For a walk that has not begun. */
  seek(key: string): void {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const index = positionOf(frame.node.keys, key)
      const found = frame.node.keys[index] === key
      frame.slot = found ? 2 * index + 2 : 2 * index
      const { node } = frame
      this.#previous = key
      this.#settle()
      if (found || node.subtrees[index] == null) return
      this.#previous = ''
      this.enter()
    }
  }

  /** The first subtree behind the entries that come next, entering nothing. */
  subtreeAhead(): Subtree | undefined {
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      const { node, slot } = this.#frames[i]!
      for (let index = (slot + 1) >> 1; index < node.subtrees.length; index++)
        if (node.subtrees[index] != null) return node.subtrees[index]!
    }
    return undefined
  }

  /** Moves over absent subtrees and out of finished nodes. */
  #settle(): void {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const { node } = frame
      for (; frame.slot <= 2 * node.keys.length; frame.slot++) {
        const index = frame.slot >> 1
        if (frame.slot & 1) {
          const key = node.keys[index]!
          if (node !== this.#previousNode && key <= this.#previous)
            throw new RepoError(
              'InvalidMst',
              `${key} comes after ${this.#previous}: the tree is not in order`,
            )
          this.#previous = key
          this.#previousNode = node
          this.#current = { key, value: node.values[index]! }
          return
        }
        const subtree = node.subtrees[index]!
        if (subtree !== null) {
          this.#current = { subtree, height: node.height - 1 }
          return
        }
      }
      this.#frames.pop()
    }
    this.#current = undefined
  }
}
