import { sha256 } from '@imago/data/sha256'

/** Bytes of every hash here. */
export const HASH_BYTES = 32

const LEAF_PREFIX = 0
const NODE_PREFIX = 1

/** Root of a tree without leaves: the hash of nothing. */
export const emptyRoot = (): Uint8Array => sha256(new Uint8Array(0))

/** Hash of one entry. @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1 */
export function hashLeaf(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length)
  input[0] = LEAF_PREFIX
  input.set(entry, 1)
  return sha256(input)
}

/** Hash of two trees side by side, of which the left is complete. */
export function hashChildren(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * HASH_BYTES)
  input[0] = NODE_PREFIX
  input.set(left, 1)
  input.set(right, 1 + HASH_BYTES)
  return sha256(input)
}

/**
 * The complete subtrees of a log: `level` 0 are its leaves, and the subtree `index` of a level covers the leaves from
 * `index * 2 ** level` to before `(index + 1) * 2 ** level`.
 */
export interface HashSource {
  /** @throws {MissingTileError} when it is not at hand now: fetch what the error names, and ask again. */
  hash(level: number, index: number): Uint8Array
}

/** A complete subtree. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/**
 * The complete subtrees that lie side by side in a range of leaves, widest first from the left, as the recursion of
 * RFC 6962 cuts it.
 * @param start a multiple of every power of two below the range's length, as in every tree of RFC 6962.
 */
export function subtreesOf(start: number, end: number): Subtree[] {
  const found: Subtree[] = []
  for (let at = start; at < end; ) {
    const level = highestLevel(end - at)
    found.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return found
}

/** Root over a range of leaves, as {@link subtreesOf} describes it. */
export function rangeHash(source: HashSource, start: number, end: number): Uint8Array {
  const hashes = subtreesOf(start, end).map(({ level, index }) => source.hash(level, index))
  return hashes.length === 0 ? emptyRoot() : joinSubtrees(hashes)
}

/** Root over complete subtrees side by side, each narrower than the one before. At least one. */
export function joinSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => hashChildren(left, right))
}

/** Root of a log of `size` leaves. */
export const treeRoot = (source: HashSource, size: number): Uint8Array => rangeHash(source, 0, size)

/** The level of the widest complete subtree that fits into `size` leaves, of which there is one at least. */
export function highestLevel(size: number): number {
  let level = Math.floor(Math.log2(size))
  // The logarithm of a large number may round up to the next power.
  if (2 ** level > size) level--
  return level
}

/** Leaves left of the split: the largest power of two strictly below `size`, which is 2 at least. */
export const splitOf = (size: number): number => 2 ** highestLevel(size - 1)

/** @throws {RangeError} unless it is a whole number that JavaScript counts exactly, and not negative. */
export function assertSize(size: number, what = 'tree size'): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${size} is not a ${what}`)
}
