import assert from 'node:assert/strict'
import { type BlockSource, type Cid, cidOfDrisl, concatBytes, encode } from '@imago/data'
import type { FuzzTarget } from '@imago/sim/fuzz'
import { invertOps } from './lib/invert.ts'
import { Mst } from './lib/mst.ts'
import { decodeNode, encodeNode } from './lib/node-codec.ts'
import { RepoError } from './lib/repo-error.ts'
import type { RepoOp } from './lib/repo-op.ts'
import { verifyTree } from './lib/verify-tree.ts'

// An input is the nodes of a tree, each after two bytes of length. Hardly any change of a node survives its hash, so the
// source finds a node by the CID that it had in the seed: a tree trusts its source, which is the caller's to check.

const cidOf = (n: number): Cid => cidOfDrisl(encode({ n }))
const keyOf = (n: number) => `app.bsky.feed.${n % 3 === 0 ? 'like' : 'post'}/${(n * 7919).toString(36)}`

const SIZES = [0, 1, 7, 30]
const trees = SIZES.map((size) =>
  Mst.from(Array.from({ length: size }, (_, n) => [keyOf(n), cidOf(n)] as const)),
)
/** Where in its input each node stands. */
const places = new Map(
  trees.flatMap((tree) => [...tree.nodes()].map(({ cid }, index) => [cid.toString(), index] as const)),
)

/** How many nodes each tree has. */
const sizes = trees.map((tree) => [...tree.nodes()].length)

/** Refuses what is no tree by name, and takes no tree that would be built otherwise. */
export const target: FuzzTarget = {
  name: 'mst',
  seeds: () => trees.map((tree) => concatBytes([...tree.nodes()].map(({ bytes }) => withLength(bytes)))),
  run(input) {
    const blocks = split(Uint8Array.from(input))
    for (const bytes of blocks)
      unlessRefused(() => assert.deepEqual(encodeNode(decodeNode(bytes)), bytes, 'a node has two forms'))
    const source: BlockSource = { get: (cid) => blocks[places.get(cid.toString()) ?? -1] }
    // The tree that most of the nodes are likely to be of.
    const { root } = trees[sizes.findIndex((nodes) => nodes >= blocks.length)] ?? trees.at(-1)!
    check(source, root)
    unlessRefused(() => verifyTree(Mst.open(source, root), { partial: true }))
  },
}

function check(source: BlockSource, root: Cid): void {
  const tree = Mst.open(source, root)
  for (const n of [0, 3]) for (const op of opsOn(keyOf(n), n)) unlessRefused(() => invertOps(tree, [op]))
  const isTree = unlessRefused(() => verifyTree(tree))
  const entries = unlessRefused(() => [...tree.entries()]) as [string, Cid][] | undefined
  assert.equal(isTree === undefined, entries === undefined, 'verifying and walking come to different ends')
  if (entries === undefined) return
  const again = Mst.from(entries)
  assert.equal([...again.nodes()].length, [...tree.nodes()].length, 'the same entries make another tree')
  for (const [key, cid] of entries.slice(0, 3)) {
    assert.ok(tree.get(key)!.equals(cid))
    const without = tree.delete(key)
    assert.equal(without.get(key), undefined)
    assert.deepEqual([...without.insert(key, cid).entries()].map(String), entries.map(String))
  }
}

const opsOn = (path: string, n: number): RepoOp[] => [
  { action: 'create', path, cid: cidOf(n), prev: null },
  { action: 'update', path, cid: cidOf(n), prev: cidOf(n + 1) },
  { action: 'delete', path, cid: null, prev: cidOf(n) },
]

/** What `work` gives, `true` where that is nothing, or `undefined` when it refuses as it may. */
function unlessRefused<T>(work: () => T): T | true | undefined {
  try {
    return work() ?? true
  } catch (error) {
    if (!(error instanceof RepoError)) throw error
    return undefined
  }
}

function withLength(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(bytes.length >> 8, bytes.length & 0xff, ...bytes)
}

function split(input: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = []
  for (let at = 0; at + 2 <= input.length; ) {
    const end = at + 2 + ((input[at]! << 8) | input[at + 1]!)
    blocks.push(input.subarray(at + 2, end))
    at = end
  }
  return blocks
}
