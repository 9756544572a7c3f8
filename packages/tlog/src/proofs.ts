import { equalBytes } from '@imago/data'
import {
  assertSize,
  emptyRoot,
  HASH_BYTES,
  type HashSource,
  hashChildren,
  rangeHash,
  splitOf,
} from './merkle-tree.ts'
import { TlogError } from './tlog-error.ts'

/** Hashes from the leaf's sibling up to the root's child. */
export type Proof = readonly Uint8Array[]

/**
 * Proves that the leaf `index` is in the tree of `size` leaves.
 * @throws {RangeError} when there is no such leaf; what `source` throws.
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1.1
 */
export function proveInclusion(source: HashSource, index: number, size: number): Proof {
  assertLeaf(index, size)
  const proof: Uint8Array[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      proof.push(rangeHash(source, middle, end))
      end = middle
    } else {
      proof.push(rangeHash(source, start, middle))
      start = middle
    }
  }
  return proof.reverse()
}

/**
 * @param leaf hash of the entry, of `hashLeaf`.
 * @throws {TlogError} `InvalidProof` unless the proof leads from that leaf at that index to the root.
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2
 */
export function verifyInclusion(
  proof: Proof,
  leaf: Uint8Array,
  { index, size, root }: { index: number; size: number; root: Uint8Array },
): void {
  assertLeaf(index, size)
  let [at, last, hash] = [index, size - 1, leaf]
  for (const sibling of assertHashes(proof)) {
    if (last === 0) throw invalid(`${proof.length} hashes are too many for leaf ${index} of ${size}`)
    if (isOdd(at) || at === last) {
      hash = hashChildren(sibling, hash)
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)]
    } else hash = hashChildren(hash, sibling)
    ;[at, last] = [half(at), half(last)]
  }
  if (last !== 0) throw invalid(`${proof.length} hashes are too few for leaf ${index} of ${size}`)
  if (!equalBytes(hash, root)) throw invalid(`the proof of leaf ${index} of ${size} leads to another root`)
}

/**
 * Proves that the tree of `newSize` leaves begins with the tree of `oldSize` leaves.
 * @throws {RangeError} when the old tree is the larger; what `source` throws.
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1.2
 */
export function proveConsistency(source: HashSource, oldSize: number, newSize: number): Proof {
  assertOrder(oldSize, newSize)
  if (oldSize === 0 || oldSize === newSize) return []
  const proof: Uint8Array[] = []
  let start = 0
  let end = newSize
  // Down to the subtree that ends where the old tree ends. The old tree itself needs no hash: who asks knows its root.
  while (end !== oldSize) {
    const middle = start + splitOf(end - start)
    if (oldSize <= middle) {
      proof.push(rangeHash(source, middle, end))
      end = middle
    } else {
      proof.push(rangeHash(source, start, middle))
      start = middle
    }
  }
  if (start > 0) proof.push(rangeHash(source, start, end))
  return proof.reverse()
}

/**
 * @throws {TlogError} `InvalidProof` unless the proof shows that the new tree begins with the old one.
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4.2
 */
export function verifyConsistency(
  proof: Proof,
  old: { size: number; root: Uint8Array },
  { size, root }: { size: number; root: Uint8Array },
): void {
  assertOrder(old.size, size)
  assertHashes(proof)
  const from = `from size ${old.size} to ${size}`
  if (old.size === 0 || old.size === size) {
    if (proof.length > 0) throw invalid(`a proof ${from} has no hashes, and this one has ${proof.length}`)
    if (!equalBytes(old.root, old.size === 0 ? emptyRoot() : root))
      throw invalid(`two roots of a tree of ${old.size} leaves`)
    return
  }
  let [at, last] = [old.size - 1, size - 1]
  while (isOdd(at)) [at, last] = [half(at), half(last)]
  // An old tree that is one complete subtree is where the proof starts.
  const [first, ...rest] = at === 0 ? [old.root, ...proof] : proof
  if (first === undefined) throw invalid(`an empty proof ${from}`)
  let [oldHash, newHash] = [first, first]
  for (const sibling of rest) {
    if (last === 0) throw invalid(`${proof.length} hashes are too many for a proof ${from}`)
    if (isOdd(at) || at === last) {
      oldHash = hashChildren(sibling, oldHash)
      newHash = hashChildren(sibling, newHash)
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)]
    } else newHash = hashChildren(newHash, sibling)
    ;[at, last] = [half(at), half(last)]
  }
  if (last !== 0) throw invalid(`${proof.length} hashes are too few for a proof ${from}`)
  if (!equalBytes(oldHash, old.root)) throw invalid(`the proof ${from} does not start from the old root`)
  if (!equalBytes(newHash, root)) throw invalid(`the proof ${from} does not lead to the new root`)
}

// Sizes exceed 32 bits, which is where JavaScript's bitwise operators end.
const half = (n: number): number => Math.floor(n / 2)
const isOdd = (n: number): boolean => n % 2 === 1

const invalid = (message: string) => new TlogError('InvalidProof', message)

function assertHashes(proof: Proof): Proof {
  for (const [i, hash] of proof.entries())
    if (hash.length !== HASH_BYTES) throw invalid(`hash ${i} of the proof has ${hash.length} bytes, not 32`)
  return proof
}

function assertLeaf(index: number, size: number): void {
  assertSize(size)
  assertSize(index, 'leaf index')
  if (index >= size) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`)
}

function assertOrder(oldSize: number, newSize: number): void {
  assertSize(oldSize)
  assertSize(newSize)
  if (oldSize > newSize)
    throw new RangeError(`a tree of ${newSize} leaves does not begin with one of ${oldSize}`)
}
