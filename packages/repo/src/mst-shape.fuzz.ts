import { BlockMap, type Cid, cidOfDrisl, encode, type Value } from '@imago/data'
import type { FuzzTarget } from '@imago/sim/fuzz'
import { createRandom } from '@imago/sim/random'
import { commonPrefixLength } from './lib/key.ts'
import { keyHeight } from './lib/key-height.ts'
import { Mst } from './lib/mst.ts'
import { decodeNode } from './lib/node-codec.ts'
import { checkTree } from './mst.fuzz.ts'

// An input tells a tree in so few bytes that nearly every change of them is a change of its shape, and hardly one breaks
// a node. Node by node, the root first: how many entries, the number of the subtree before them, and for each entry its
// key and the number of the subtree after it.

/** The last leaves a height to nodes that only pass through. */
const HEIGHTS = [0, 1, 2, 4]
const KEYS_PER_HEIGHT = 16
const NO_SUBTREE = 0
/** A bit of a node's first byte: entries stay as they are told, rather than being put in order. */
const DISORDERLY = 0x80
const MAX_ENTRIES = 7

/** By four bits of place in the order of all keys, told in two digits so that some share more, and two of height. */
const keys = Array.from({ length: KEYS_PER_HEIGHT * HEIGHTS.length }, (_, byte) => {
  const height = HEIGHTS[byte % HEIGHTS.length]!
  const place = Math.floor(byte / HEIGHTS.length)
    .toString(4)
    .padStart(2, '0')
  for (let n = 0; ; n++) {
    const key = `com.example.record/${place}${height}${n.toString(36)}`
    if (keyHeight(key) === height) return key
  }
})
const keyOf = (byte: number): string => keys[byte % keys.length]!
const records = Array.from({ length: 4 }, (_, n) => cidOfDrisl(encode({ n })))
const absent = cidOfDrisl(encode('absent'))

/** Tells apart trees, parts of trees and what is neither, however they are wrong. */
export const target: FuzzTarget = {
  name: 'mst-shape',
  maxBytes: 128,
  seeds: () => {
    const random = createRandom(4)
    return [0, 1, 3, 6, 10, 16, 30].map((size) => describe(random.shuffle(keys).slice(0, size)))
  },
  run(input) {
    const { source, root } = build(input)
    checkTree(source, root, keyOf(input.length), input)
  },
}

interface Told {
  readonly first: number
  readonly entries: readonly { readonly key: number; readonly subtree: number }[]
}

function build(input: Uint8Array): { source: BlockMap; root: Cid } {
  const nodes: Told[] = []
  for (let at = 0; at < input.length; ) {
    const head = input[at++]!
    const first = input[at++] ?? NO_SUBTREE
    const entries: { key: number; subtree: number }[] = []
    for (let left = head & MAX_ENTRIES; left > 0 && at < input.length; left--)
      entries.push({ key: input[at++]!, subtree: input[at++] ?? NO_SUBTREE })
    if ((head & DISORDERLY) === 0) entries.sort((a, b) => (keyOf(a.key) < keyOf(b.key) ? -1 : 1))
    nodes.push({ first, entries })
  }
  if (nodes.length === 0) nodes.push({ first: NO_SUBTREE, entries: [] })
  const source = new BlockMap()
  const cids: Cid[] = []
  for (let index = nodes.length - 1; index >= 0; index--) {
    // Subtrees come later, so that there are no circles; one that is not told is absent.
    const link = (subtree: number): Cid | null => (subtree > index ? (cids[subtree] ?? absent) : null)
    let previous = ''
    const e = nodes[index]!.entries.map(({ key: byte, subtree }): Value => {
      const key = keyOf(byte)
      const p = commonPrefixLength(previous, key)
      previous = key
      return { k: Buffer.from(key.slice(p)), p, t: link(subtree), v: records[byte >> 6]! }
    })
    cids[index] = source.add(encode({ e, l: link(nodes[index]!.first) }))
  }
  return { source, root: cids[0]! }
}

/** The tree of some keys, told. */
function describe(some: readonly string[]): Uint8Array {
  const nodes = [...Mst.from(some.map((key) => [key, records[0]!] as const)).nodes()]
  const numberOf = (link: { is(cid: Cid): boolean } | null) =>
    link === null ? NO_SUBTREE : nodes.findIndex(({ cid }) => link.is(cid))
  return Uint8Array.from(
    nodes.flatMap(({ bytes }) => {
      const { keys: own, links } = decodeNode(bytes)
      const entries = own.flatMap((key, i) => [keys.indexOf(key), numberOf(links[i + 1]!)])
      return [own.length, numberOf(links[0]!), ...entries]
    }),
  )
}
