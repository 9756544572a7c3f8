import assert from 'node:assert/strict'
import test from 'node:test'
import { openAuthenticatedTiles } from './authenticated-tiles.ts'
import { HASH_BYTES, hashLeaf } from './merkle-tree.ts'
import { newTiles, type Tile, tilePath } from './tiles.ts'
import { createTreeAppender } from './tree-appender.ts'

function logOf(size: number) {
  const appender = createTreeAppender()
  const levels: Uint8Array[][] = []
  for (let i = 0; i < size; i++)
    appender.append(hashLeaf(Uint8Array.of(i & 255, i >> 8, i >> 16)), (level, index, hash) => {
      levels[level] ??= []
      levels[level][index] = hash
    })
  const read = ({ level, index, width }: Tile) =>
    Buffer.concat(levels[level]!.slice(index * 256, index * 256 + width))
  return { root: appender.root(), read }
}

/** A tile of leaves that the last hash of a tile covers, or is in. */
const leafTileBelow = ({ level, index, width }: Tile) =>
  level === 0 ? index : (index * 256 + width - 1) * 256 ** (level - 1)

test('every tile of a log is led to its root, and one bit changed in any of them is found', async () => {
  const size = 2 * 65_536 + 257
  const { root, read } = logOf(size)
  const all = [...newTiles(0, size)]
  const openWith = (change?: Tile) =>
    openAuthenticatedTiles({ size, root }, async (tile) => {
      const bytes = new Uint8Array(read(tile))
      if (change !== undefined && tilePath(change) === tilePath(tile))
        bytes[(tile.width - 1) * HASH_BYTES]! ^= 1
      return bytes
    })
  const tiles = await openWith()
  for (const tile of all)
    assert.deepEqual(await tiles.tile(tile.level, tile.index), new Uint8Array(read(tile)))
  for (const change of all.filter(({ level, index }) => level > 0 || index % 97 === 0 || index > 510))
    await assert.rejects(
      openWith(change).then((changed) => changed.tile(0, leafTileBelow(change))),
      { code: 'InvalidTile' },
      tilePath(change),
    )
  await assert.rejects(tiles.tile(0, 600), RangeError)
})
