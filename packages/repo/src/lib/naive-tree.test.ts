import assert from 'node:assert/strict'
import test from 'node:test'
import { type Cid, cidOfDrisl, encode } from '@imago/data'
import { naiveTree } from '@imago/sim/naive-tree'
import { createRandom, type Random } from '@imago/sim/random'

export { type Entries, naiveHeight, naiveTree } from '@imago/sim/naive-tree'

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
