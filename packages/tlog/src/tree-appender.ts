import { emptyRoot, type HashSource, hashChildren, joinSubtrees } from './merkle-tree.ts'
import { rightEdgeOf, TILE_HEIGHT } from './tiles.ts'

/** A log that grows, of which only the right edge is kept: one hash for each bit that is set in its size. */
export interface TreeAppender {
  readonly size: number
  /** Root of all that was appended so far. */
  root(): Uint8Array
  /**
   * Adds one leaf.
   * @param emit is given each hash that belongs into a tile and became known by it: of the leaf itself first.
   * `level` counts tiles: 0 for a leaf, 1 for a full tile of leaves, and so on.
   */
  append(leaf: Uint8Array, emit?: (level: number, index: number, hash: Uint8Array) => void): void
}

/** @param source holds the right edge of the log as it is; not needed for an empty one. */
export function createTreeAppender(size = 0, source?: HashSource): TreeAppender {
  const edge = rightEdgeOf(size).map(({ level, index }) => source!.hash(level, index))
  let count = size
  return {
    get size() {
      return count
    },
    root: () => (edge.length === 0 ? emptyRoot() : joinSubtrees(edge)),
    append(leaf, emit) {
      emit?.(0, count, leaf)
      let hash = leaf
      // Each trailing one in the size is a subtree that this leaf completes to one of twice its width.
      let level = 0
      for (let rest = count; rest % 2 === 1; rest = (rest - 1) / 2) {
        hash = hashChildren(edge.pop()!, hash)
        level++
        if (level % TILE_HEIGHT === 0) emit?.(level / TILE_HEIGHT, (rest - 1) / 2, hash)
      }
      edge.push(hash)
      count++
    },
  }
}
