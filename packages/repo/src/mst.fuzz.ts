import assert from 'node:assert/strict'
import {
  BlockMap,
  type BlockSource,
  Cid,
  cidOfDrisl,
  compareBytes,
  DataError,
  DRISL_CODEC,
  decode,
  encode,
  isDataMap,
  type Value,
} from '@imago/data'
import { type FuzzTarget, isSampled, linkItems, splitItems, unlinkItems } from '@imago/sim/fuzz'
import { naiveTree } from '@imago/sim/naive-tree'
import { diffTrees } from './lib/diff.ts'
import { invertOps } from './lib/invert.ts'
import { isTreeKey } from './lib/key.ts'
import { Mst } from './lib/mst.ts'
import { decodeNode, encodeNode, MAX_NODE_ENTRIES } from './lib/node-codec.ts'
import { coveringProof } from './lib/proof.ts'
import { RepoError } from './lib/repo-error.ts'
import type { RepoOp } from './lib/repo-op.ts'
import { verifyTree } from './lib/verify-tree.ts'

// An input is the nodes of a tree, the root first, each linking to later ones by number: see linkItems.

const ONE_IN_FOR_NODES = 8
const ONE_IN_FOR_EDITS = 4
const ONE_IN_FOR_NAIVE = 32

const cidOf = (n: number): Cid => cidOfDrisl(encode({ n }))
const keyOf = (n: number) => `app.bsky.feed.${n % 3 === 0 ? 'like' : 'post'}/${(n * 7919).toString(36)}`

/** Seven trees; the largest is three levels high, and has a node that only passes through. */
const SIZES = [0, 1, 2, 4, 8, 12, 20]
const KEYS = Array.from({ length: 24 }, (_, n) => keyOf(n))
const treeOf = (size: number): Mst => Mst.from(KEYS.slice(0, size).map((key, n) => [key, cidOf(n)] as const))
const trees = SIZES.map(treeOf)
// What is not taken as it is would be refused in all its mutants as well, without anybody noticing.
for (const tree of trees) verifyTree(Mst.open(new BlockMap(tree.nodes()), tree.root))

/** Refuses by name what is no tree, takes no tree that would be built otherwise, and edits what it takes as a map. */
export const target: FuzzTarget = {
  name: 'mst',
  maxBytes: 2048,
  dictionary: ['like/', 'post/', encode(null), encode(cidOf(30))],
  seeds: () => [
    ...trees.map((tree) => unlinkItems([...tree.nodes()].map(({ bytes }) => bytes))),
    // Without the nodes that no proof of these three needs.
    unlinkItems([...coveringProof(trees.at(-1)!, [KEYS[3]!, KEYS[9]!, KEYS[22]!])].map(({ bytes }) => bytes)),
  ],
  run(input) {
    const nodes = splitItems(input)
    if (nodes.length === 0) return
    const cids = linkItems(nodes)
    const source = new BlockMap()
    for (const [i, bytes] of nodes.entries()) source.set(cids[i]!, bytes)
    if (isSampled(input, ONE_IN_FOR_NODES))
      for (const bytes of [input, ...nodes]) checkNode(bytes, isSampled(bytes, ONE_IN_FOR_NAIVE))
    checkTree(source, cids[0]!, KEYS[input.length % KEYS.length]!, input)
  },
}

/** A node has one form, and is read as the generic decoder reads it. */
function checkNode(bytes: Uint8Array, naively: boolean): void {
  const node = unlessRefused(() => decodeNode(bytes))
  if (node !== undefined) assert.equal(compareBytes(encodeNode(node), bytes), 0, 'a node has two forms')
  if (!naively) return
  const entries = naiveNode(bytes)
  assert.equal(
    node === undefined,
    entries === undefined,
    `a node or not: ${Buffer.from(bytes).toString('hex')}`,
  )
  assert.deepEqual(node?.keys, entries)
}

/**
 * Whatever a source holds under `root`, the ways of reading it agree, and edits do what they would do to a map.
 * @param key edited.
 * @param input decides what is checked besides.
 */
export function checkTree(source: BlockSource, root: Cid, key: string, input: Uint8Array): void {
  const tree = Mst.open(source, root)
  const isPart = passes(() => verifyTree(tree, { partial: true }))
  const isWhole = passes(() => verifyTree(tree))
  const entries = unlessRefused(() => [...Mst.open(source, root).entries()])
  assert.equal(isWhole, entries !== undefined, 'verifying and walking come to different ends')
  if (entries === undefined) {
    editPart(tree, key, isPart)
    return
  }
  assert.ok(isPart, 'a tree is not taken for a part of itself')
  assert.ok(Mst.from(entries).root.equals(root), 'the same entries make another tree')
  if (isSampled(input, ONE_IN_FOR_NAIVE))
    assert.ok(naiveTree(new Map(entries)).root.equals(root), 'the naive model makes another tree')
  if (isSampled(input, ONE_IN_FOR_EDITS)) editWhole(tree, new Map(entries), key)
}

/** Where blocks are missing or wrong, an edit is refused by name, or undone comes to where it began. */
function editPart(tree: Mst, key: string, isPart: boolean): void {
  for (const op of opsOn(tree, key)) {
    const before = unlessRefused(() => invertOps(tree, [op]))
    if (before === undefined || !isPart) continue
    const again = unlessRefused(() => apply(before, op))
    if (again !== undefined) assert.ok(again.root.equals(tree.root), `${op.action} ${key} does not come back`)
  }
}

/** One operation undone is what the same entries without it make, also with no more than its proof at hand. */
function editWhole(tree: Mst, entries: Map<string, Cid>, key: string): void {
  const held = entries.get(key)
  assert.deepEqual(tree.get(key), held)
  const op: RepoOp =
    held === undefined
      ? { action: 'delete', path: key, cid: null, prev: cidOf(50) }
      : { action: 'create', path: key, cid: held, prev: null }
  if (held === undefined) entries.set(key, cidOf(50))
  else entries.delete(key)
  const expected = Mst.from(entries)
  const before = invertOps(tree, [op])
  assert.ok(before.root.equals(expected.root), `undoing ${op.action} ${key} makes another tree`)
  const proof = Mst.open(coveringProof(tree, [key]), tree.root)
  assert.ok(invertOps(proof, [op]).root.equals(expected.root), 'its proof makes another tree')
  assert.deepEqual(diffTrees(expected, tree), [op])
}

/** What may have been done to `key`: as the tree says, where it says something, and what it cannot have been. */
function opsOn(tree: Mst, path: string): RepoOp[] {
  const held = unlessRefused(() => tree.get(path) ?? null)
  if (held == null) return [{ action: 'delete', path, cid: null, prev: cidOf(50) }]
  return [
    { action: 'create', path, cid: held, prev: null },
    { action: 'update', path, cid: held, prev: cidOf(51) },
  ]
}

function apply(tree: Mst, { action, path, cid }: RepoOp): Mst {
  if (action === 'create') return tree.insert(path, cid!)
  return action === 'update' ? tree.update(path, cid!) : tree.delete(path)
}

/** The keys of a node, as the specification describes one, out of the generic decoder; `undefined` where it is none. */
function naiveNode(bytes: Uint8Array): string[] | undefined {
  try {
    const node = decode(bytes)
    if (!hasFields(node, 'e,l') || !Array.isArray(node['e']) || !isNodeLink(node['l'], true)) return undefined
    if (node['e'].length > MAX_NODE_ENTRIES) return undefined
    const keys: string[] = []
    for (const entry of node['e']) {
      if (!hasFields(entry, 'k,p,t,v') || !isNodeLink(entry['t'], true) || !isNodeLink(entry['v'], false))
        return undefined
      const { k, p } = entry
      if (!(k instanceof Uint8Array) || typeof p !== 'number') return undefined
      const previous = keys.at(-1) ?? ''
      if (p < 0 || p > previous.length) return undefined
      const key = previous.slice(0, p) + Buffer.from(k).toString('latin1')
      const sharesMore = p < previous.length && p < key.length && previous[p] === key[p]
      if (!isTreeKey(key) || key <= previous || sharesMore) return undefined
      keys.push(key)
    }
    return keys
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    return undefined
  }
}

const hasFields = (value: Value, names: string): value is { [key: string]: Value } =>
  isDataMap(value) && Object.keys(value).join() === names

const isNodeLink = (value: Value | undefined, orNull: boolean): boolean =>
  value instanceof Cid ? value.codec === DRISL_CODEC : orNull && value === null

/** What `work` gives, or `undefined` when it refuses as it may. */
function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof RepoError)) throw error
    return undefined
  }
}

/** Whether `work` ends without refusing. */
function passes(work: () => void): boolean {
  return (
    unlessRefused(() => {
      work()
      return true
    }) === true
  )
}
