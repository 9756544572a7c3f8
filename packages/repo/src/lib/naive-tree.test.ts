import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { BlockMap, type Cid, cidOfDrisl, encode } from '@imago/data'
import { createRandom, type Random } from '@imago/sim/random'

// The model that trees are held against: it knows nothing of edits. A sorted array is cut at its highest keys, again
// and again, and every node goes through the generic encoder.

export type Entries = ReadonlyMap<string, Cid>

/** Root and nodes of the tree that holds `entries`, made from scratch. */
export function naiveTree(entries: Entries): { root: Cid; blocks: BlockMap } {
  const blocks = new BlockMap()
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  const build = (part: typeof sorted, height: number): Cid => {
    const cuts = part.flatMap(([key], index) => (naiveHeight(key) === height ? [index] : []))
    const between = (from: number, to: number) => (from < to ? build(part.slice(from, to), height - 1) : null)
    const e = cuts.map((cut, i) => {
      const key = Buffer.from(part[cut]![0])
      const before = i === 0 ? Buffer.alloc(0) : Buffer.from(part[cuts[i - 1]!]![0])
      let p = 0
      while (p < before.length && before[p] === key[p]) p++
      const t = between(cut + 1, cuts[i + 1] ?? part.length)
      return { p, k: new Uint8Array(key.subarray(p)), v: part[cut]![1], t }
    })
    return blocks.add(encode({ l: between(0, cuts[0] ?? part.length), e }))
  }
  return { root: build(sorted, Math.max(0, ...sorted.map(([key]) => naiveHeight(key)))), blocks }
}

export function naiveHeight(key: string): number {
  const bits = [...createHash('sha256').update(key).digest()]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  return Math.floor(bits.indexOf('1') / 2)
}

/** Some record's CID, the same for the same number. */
export const cidOf = (n: number) => cidOfDrisl(encode({ n }))

/** A path of a few collections; small ranges of `n` make collisions likely. */
export const pathOf = (n: number) =>
  `${['app.bsky.feed.like', 'app.bsky.feed.post', 'com.example.a'][n % 3]}/${(n * 7919).toString(36)}`

export function randomEntries(random: Random, size: number): Map<string, Cid> {
  const entries = new Map<string, Cid>()
  for (let i = 0; i < size; i++) entries.set(pathOf(random.int(100_000)), cidOf(random.int(1000)))
  return entries
}

test('the naive tree gives the roots that every implementation gives', () => {
  assert.equal(
    String(naiveTree(new Map()).root),
    'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
  )
  const entries = new Map([['com.example.record/3jqfcqzm3fo2j', cidOf(0)]])
  assert.equal(naiveTree(entries).blocks.size, 1)
  assert.equal(naiveTree(randomEntries(createRandom(1), 100)).blocks.size > 20, true)
})
