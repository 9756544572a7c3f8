import {
  assertSize,
  HASH_BYTES,
  type HashSource,
  joinSubtrees,
  type Subtree,
  subtreesOf,
} from './merkle-tree.ts'
import { TlogError } from './tlog-error.ts'

/** Levels of the tree that one tile spans. */
export const TILE_HEIGHT = 8
/** Hashes in a full tile; entries in a full bundle. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT

/** A run of hashes at one of the levels 0, 8, 16 … of the tree. */
export interface Tile {
  /** Level among tiles: 0 holds hashes of leaves, 1 those of full tiles of level 0, and so on. At most 63. */
  readonly level: number
  /** Place among the tiles of its level. */
  readonly index: number
  /** Hashes in it, 1 to 256. Fewer than 256 is a partial tile, of which there is one at most for each level. */
  readonly width: number
}

/** Entries of the log that lie side by side, as many as one tile of level 0 has hashes. */
export type EntryBundle = Omit<Tile, 'level'>

/**
 * Where a tile lies below the log's address: `tile/0/x001/234.p/5`.
 * @see https://c2sp.org/tlog-tiles
 */
export const tilePath = (tile: Tile): string => `tile/${tile.level}/${placeOf(tile)}`

/** Where a bundle of entries lies: `tile/entries/x001/234`. */
export const bundlePath = (bundle: EntryBundle): string => `tile/entries/${placeOf(bundle)}`

function placeOf({ index, width }: EntryBundle): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.../g)!
  const place = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/')
  return width === TILE_WIDTH ? place : `${place}.p/${width}`
}

const PLACE = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/**
 * What a path names.
 * @throws {TlogError} `InvalidTile` for a path that no tile and no bundle has, such as one with a needless zero.
 */
export function parseTilePath(path: string): Tile | (EntryBundle & { readonly level: 'entries' }) {
  const [, kind, place, partial] = PLACE.exec(path) ?? []
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  const index = Number(place?.replace(/[x/]/g, ''))
  const level = kind === 'entries' ? kind : Number(kind)
  const fits = width < TILE_WIDTH || partial === undefined
  const tile = { level: level as number, index, width }
  // Writing it again shows every other spelling for what it is.
  const canonical =
    kind !== undefined && fits && (level === 'entries' ? bundlePath(tile) : level <= 63 && tilePath(tile))
  if (canonical !== path || !Number.isSafeInteger(index))
    throw new TlogError('InvalidTile', `${path.slice(0, 100)} is not the path of a tile`)
  return tile
}

/** The tile at a place in a log of `size` leaves; `undefined` where it has none. */
export function tileAt(size: number, level: number, index: number): Tile | undefined {
  const width = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH)
  return width > 0 ? { level, index, width } : undefined
}

/** Every tile that a log of `size` leaves has and one of `from` leaves had not, lower levels first. */
export function* newTiles(from: number, size: number): Generator<Tile> {
  assertSize(size)
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const before = Math.floor(from / TILE_WIDTH ** level)
    if (before === Math.floor(size / TILE_WIDTH ** level)) continue
    for (let index = Math.floor(before / TILE_WIDTH); ; index++) {
      const tile = tileAt(size, level, index)
      if (tile === undefined) break
      yield tile
    }
  }
}

/** Wanted by a computation over tiles: not at hand. */
export class MissingTileError extends Error {
  override readonly name = 'MissingTileError'
  readonly tile: Tile

  constructor(tile: Tile) {
    super(`${tilePath(tile)} is not at hand`)
    this.tile = tile
  }
}

/**
 * The hashes of a log of `size` leaves, read from its tiles. They are as true as the tiles: check what is made of them
 * against a signed root.
 * @param get bytes of a tile, or `undefined`, which becomes a {@link MissingTileError}.
 * @throws {TlogError} (from `hash`) `InvalidTile` for bytes of another length than the tile has.
 */
export function createTileHashSource(size: number, get: (tile: Tile) => Uint8Array | undefined): HashSource {
  assertSize(size)
  function entries(level: number, first: number, count: number): Uint8Array[] {
    const index = Math.floor(first / TILE_WIDTH)
    const tile = tileAt(size, level, index)
    const from = first - index * TILE_WIDTH
    if (tile === undefined || from + count > tile.width)
      throw new RangeError(
        `a log of ${size} leaves has no complete subtree at entry ${first} of level ${level}`,
      )
    const bytes = get(tile)
    if (bytes === undefined) throw new MissingTileError(tile)
    assertTileLength(tile, bytes)
    return Array.from({ length: count }, (_, i) =>
      bytes.subarray((from + i) * HASH_BYTES, (from + i + 1) * HASH_BYTES),
    )
  }
  return {
    hash(level, index) {
      const tileLevel = Math.floor(level / TILE_HEIGHT)
      const count = 2 ** (level % TILE_HEIGHT)
      return rootOfComplete(entries(tileLevel, index * count, count))
    },
  }
}

/**
 * Runs a pure computation over tiles that have to be fetched: what it misses is fetched, and it runs again.
 * @param fetchTile rejects when there is no such tile.
 */
export async function withTiles<T>(
  size: number,
  fetchTile: (tile: Tile) => Promise<Uint8Array>,
  compute: (source: HashSource) => T,
): Promise<T> {
  const fetched = new Map<string, Uint8Array>()
  const source = createTileHashSource(size, (tile) => fetched.get(tilePath(tile)))
  for (;;) {
    try {
      return compute(source)
    } catch (error) {
      if (!(error instanceof MissingTileError)) throw error
      fetched.set(tilePath(error.tile), await fetchTile(error.tile))
    }
  }
}

/** @throws {TlogError} `InvalidTile` for bytes of another length than the tile has. */
export function assertTileLength(tile: Tile, bytes: Uint8Array): void {
  if (bytes.length !== tile.width * HASH_BYTES)
    throw new TlogError(
      'InvalidTile',
      `${tilePath(tile)} has ${bytes.length} bytes, and ${tile.width} hashes have ${tile.width * HASH_BYTES}`,
    )
}

/** Root over a power of two of hashes. */
function rootOfComplete(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes
  while (row.length > 1)
    row = Array.from({ length: row.length / 2 }, (_, i) => joinSubtrees([row[2 * i]!, row[2 * i + 1]!]))
  return row[0]!
}

/** The complete subtrees along the right edge of a log: all that a writer has to keep in memory. */
export const rightEdgeOf = (size: number): readonly Subtree[] => subtreesOf(0, size)
