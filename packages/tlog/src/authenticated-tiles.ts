import { equalBytes } from '@imago/data'
import type { Checkpoint } from './checkpoint.ts'
import { HASH_BYTES, type HashSource, hashChildren, treeRoot } from './merkle-tree.ts'
import { assertTileLength, TILE_HEIGHT, TILE_WIDTH, type Tile, tileAt, tilePath, withTiles } from './tiles.ts'
import { TlogError } from './tlog-error.ts'

/** The tiles of a log, each of which is known to belong to its root. */
export interface AuthenticatedTiles {
  /**
   * The tile at a place in the log: full, or partial at its end.
   * @throws {TlogError} `InvalidTile` when the bytes are not those that the root pins, naming the tile.
   * @throws {RangeError} when the log has none there.
   */
  tile(level: number, index: number): Promise<Uint8Array>
}

/**
 * Opens the tiles below a checkpoint whose signatures were checked. Each tile is held against the one above it, and
 * those at the right edge against the root.
 * @param fetchTile rejects when there is no such tile.
 * @throws {TlogError} `InvalidTile` when the right edge does not lead to the root.
 */
export async function openAuthenticatedTiles(
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  fetchTile: (tile: Tile) => Promise<Uint8Array>,
): Promise<AuthenticatedTiles> {
  const known = new Map<string, Uint8Array>()
  const found = await withTiles(
    size,
    async (tile) => {
      const bytes = await fetchTile(tile)
      known.set(tilePath(tile), bytes)
      return bytes
    },
    (source) => treeRoot(source, size),
  )
  if (!equalBytes(found, root))
    throw new TlogError(
      'InvalidTile',
      `the tiles at the right edge of the log do not lead to its root at size ${size}`,
    )

  async function tile(level: number, index: number): Promise<Uint8Array> {
    const wanted = tileAt(size, level, index)
    if (wanted === undefined)
      throw new RangeError(`a log of ${size} entries has no tile ${index} at level ${level}`)
    const path = tilePath(wanted)
    const before = known.get(path)
    if (before !== undefined) return before
    // What the right edge did not need is full, and has its root in the tile above it.
    const bytes = await fetchTile(wanted)
    assertTileLength(wanted, bytes)
    const above = await tile(level + 1, Math.floor(index / TILE_WIDTH))
    const at = (index % TILE_WIDTH) * HASH_BYTES
    if (!equalBytes(rootOfTile(bytes), above.subarray(at, at + HASH_BYTES)))
      throw new TlogError('InvalidTile', `${path} does not have the root that the tile above it says`)
    // Only what leads to others is worth remembering: there are 256 times as many below.
    if (level > 0) known.set(path, bytes)
    return bytes
  }

  return { tile }
}

/** Root over the hashes of a full tile. */
function rootOfTile(bytes: Uint8Array): Uint8Array {
  const hashes: HashSource = {
    hash: (level, index) =>
      level === 0
        ? bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
        : hashChildren(hashes.hash(level - 1, 2 * index), hashes.hash(level - 1, 2 * index + 1)),
  }
  return hashes.hash(TILE_HEIGHT, 0)
}
