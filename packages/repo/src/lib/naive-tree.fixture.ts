import { type Block, type Cid, cidOfDrisl, encode } from '@imago/data'
import type { Random } from '@imago/sim/random'

export { type Entries, naiveHeight, naiveTree } from '@imago/sim/naive-tree'

/** Some record's CID, the same for the same number. */
export const cidOf = (n: number) => cidOfDrisl(encode({ n }))

/** Some record, the same for the same number. */
export function recordOf(n: number): Block {
  const bytes = encode({ $type: 'app.bsky.feed.post', text: `record ${n}` })
  return { cid: cidOfDrisl(bytes), bytes }
}

/** A path of a few collections; small ranges of `n` make collisions likely. */
export const pathOf = (n: number) =>
  `${['app.bsky.feed.like', 'app.bsky.feed.post', 'com.example.a'][n % 3]}/${(n * 7919).toString(36)}`

export function randomEntries(random: Random, size: number): Map<string, Cid> {
  const entries = new Map<string, Cid>()
  for (let i = 0; i < size; i++) entries.set(pathOf(random.int(100_000)), cidOf(random.int(1000)))
  return entries
}
