import assert from 'node:assert/strict'
import test from 'node:test'
import { emptyRoot, type HashSource, hashChildren, hashLeaf, splitOf, treeRoot } from './merkle-tree.ts'
import { proveConsistency, proveInclusion, verifyConsistency, verifyInclusion } from './proofs.ts'
import { createTreeAppender } from './tree-appender.ts'

const entries = (count: number) =>
  Array.from({ length: count }, (_, i) => new TextEncoder().encode(`entry ${i}`))

/** RFC 6962 §2.1 as it stands there. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot()
  if (leaves.length === 1) return leaves[0]!
  const k = splitOf(leaves.length)
  return hashChildren(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}

function sourceOf(leaves: readonly Uint8Array[]): HashSource {
  const known = new Map<string, Uint8Array>()
  const hash = (level: number, index: number): Uint8Array => {
    if (level === 0) return leaves[index]!
    const key = `${level} ${index}`
    let found = known.get(key)
    if (found === undefined)
      known.set(key, (found = hashChildren(hash(level - 1, 2 * index), hash(level - 1, 2 * index + 1))))
    return found
  }
  return { hash }
}

test('the tree of RFC 6962 over known leaves', () => {
  assert.equal(emptyRoot().toBase64(), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  const leaf = (hex: string) => hashLeaf(Uint8Array.fromHex(hex))
  assert.equal(leaf('').toHex().slice(0, 8), '6e340b9c')
  // The leaves and roots that the first implementations of Certificate Transparency tested with.
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map(leaf)
  const roots = leaves.map((_, i) => treeRoot(sourceOf(leaves), i + 1).toHex())
  assert.equal(roots[1], 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125')
  assert.equal(roots[2], 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77')
  assert.equal(roots[7], '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
})

test('roots, appending, inclusion and consistency agree with the definition at every size up to 130', () => {
  const leaves = entries(130).map(hashLeaf)
  const source = sourceOf(leaves)
  const appender = createTreeAppender()
  const roots = [emptyRoot()]
  for (const leaf of leaves) {
    appender.append(leaf)
    roots.push(appender.root())
  }
  for (let size = 0; size <= leaves.length; size++) {
    const root = roots[size]!
    assert.deepEqual(treeRoot(source, size), naiveRoot(leaves.slice(0, size)))
    assert.deepEqual(root, treeRoot(source, size))
    assert.deepEqual(createTreeAppender(size, source).root(), root)
    for (let index = 0; index < size; index++)
      verifyInclusion(proveInclusion(source, index, size), leaves[index]!, { index, size, root })
    for (let old = 0; old <= size; old++)
      verifyConsistency(proveConsistency(source, old, size), { size: old, root: roots[old]! }, { size, root })
  }
})

test('a proof with one bit, hash, index, size or root changed proves nothing', () => {
  const leaves = entries(21).map(hashLeaf)
  const source = sourceOf(leaves)
  const at = (size: number) => ({ size, root: treeRoot(source, size) })
  const bad = { code: 'InvalidProof' }
  for (const size of [1, 2, 7, 8, 13, 21])
    for (let index = 0; index < size; index++) {
      const proof = proveInclusion(source, index, size)
      const claim = { index, ...at(size) }
      for (const other of variants(proof))
        assert.throws(() => verifyInclusion(other, leaves[index]!, claim), bad)
      assert.throws(() => verifyInclusion(proof, hashLeaf(new Uint8Array(1)), claim), bad)
      if (size > 1)
        assert.throws(
          () => verifyInclusion(proof, leaves[index]!, { ...claim, index: (index + 1) % size }),
          bad,
        )
    }
  for (const [old, size] of [
    [1, 2],
    [3, 7],
    [4, 8],
    [6, 8],
    [8, 13],
    [13, 21],
    [16, 21],
  ] as const) {
    const proof = proveConsistency(source, old, size)
    for (const other of variants(proof)) assert.throws(() => verifyConsistency(other, at(old), at(size)), bad)
    assert.throws(() => verifyConsistency(proof, { size: old, root: emptyRoot() }, at(size)), bad)
    assert.throws(() => verifyConsistency(proof, at(old), { size, root: emptyRoot() }), bad)
  }
  assert.throws(() => verifyConsistency([], at(5), { size: 5, root: emptyRoot() }), bad)
  assert.throws(() => verifyConsistency([leaves[0]!], { size: 0, root: emptyRoot() }, at(5)), bad)
  assert.throws(() => verifyConsistency([], at(3), at(5)), bad)
  assert.throws(() => proveInclusion(source, 5, 5), RangeError)
  assert.throws(() => proveConsistency(source, 6, 5), RangeError)
})

function* variants(proof: readonly Uint8Array[]): Generator<Uint8Array[]> {
  yield [...proof, emptyRoot()]
  if (proof.length > 0) yield proof.slice(1)
  if (proof.length > 0) yield proof.slice(0, -1)
  for (const [i, hash] of proof.entries()) {
    const flipped = hash.slice()
    flipped[i % 32]! ^= 1
    yield proof.with(i, flipped)
    yield proof.with(i, hash.subarray(1))
  }
}
