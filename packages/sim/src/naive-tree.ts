import { createHash } from 'node:crypto'
import { BlockMap, type Cid, encode } from '@imago/data'

// The model that trees are held against: it knows nothing of edits. A sorted array is cut at its highest keys, again
// and again, and every node goes through the generic encoder.

export type Entries = ReadonlyMap<string, Cid>

/** Root and nodes of the tree that holds `entries`, made from scratch. */
export function naiveTree(entries: Entries): { root: Cid; blocks: BlockMap } {
  const blocks = new BlockMap()
  const sorted = [...entries]
    .map(([key, value]) => ({ key, value, height: naiveHeight(key) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const build = (part: typeof sorted, height: number): Cid => {
    const cuts = part.flatMap((entry, index) => (entry.height === height ? [index] : []))
    const between = (from: number, to: number) => (from < to ? build(part.slice(from, to), height - 1) : null)
    const e = cuts.map((cut, i) => {
      const key = Buffer.from(part[cut]!.key)
      const before = i === 0 ? Buffer.alloc(0) : Buffer.from(part[cuts[i - 1]!]!.key)
      let p = 0
      while (p < before.length && before[p] === key[p]) p++
      const t = between(cut + 1, cuts[i + 1] ?? part.length)
      return { p, k: new Uint8Array(key.subarray(p)), v: part[cut]!.value, t }
    })
    return blocks.add(encode({ l: between(0, cuts[0] ?? part.length), e }))
  }
  return { root: build(sorted, Math.max(0, ...sorted.map(({ height }) => height))), blocks }
}

/** Pairs of zero bits that the hash of a key begins with, written out and counted. */
export function naiveHeight(key: string): number {
  const bits = [...createHash('sha256').update(key).digest()]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  return Math.floor(bits.indexOf('1') / 2)
}
