import assert from 'node:assert/strict'
import test from 'node:test'
import { readEntryBundle, writeEntryBundle } from './entry-bundle.ts'
import { HASH_BYTES, hashLeaf, treeRoot } from './merkle-tree.ts'
import { proveConsistency, proveInclusion, verifyConsistency, verifyInclusion } from './proofs.ts'
import {
  bundlePath,
  createTileHashSource,
  MissingTileError,
  newTiles,
  parseTilePath,
  type Tile,
  tileAt,
  tilePath,
  withTiles,
} from './tiles.ts'
import { createTreeAppender } from './tree-appender.ts'

const leafOf = (index: number) => hashLeaf(new TextEncoder().encode(`entry ${index}`))

/** A log in memory: hashes by tile level and place, and the roots that it had at some sizes. */
function logOf(size: number, sizes: readonly number[] = [size]) {
  const appender = createTreeAppender()
  const levels: Uint8Array[][] = []
  const roots = new Map<number, Uint8Array>()
  for (let i = 0; i < size; i++) {
    appender.append(leafOf(i), (level, index, hash) => {
      levels[level] ??= []
      assert.equal(levels[level].length, index)
      levels[level].push(hash)
    })
    if (sizes.includes(i + 1)) roots.set(i + 1, appender.root())
  }
  const read = ({ level, index, width }: Tile) => {
    const bytes = new Uint8Array(width * HASH_BYTES)
    for (let i = 0; i < width; i++) bytes.set(levels[level]![index * 256 + i]!, i * HASH_BYTES)
    return bytes
  }
  return { read, roots }
}

test('paths of tiles, after the examples of the specification', () => {
  for (const [index, place] of [
    [0, '000'],
    [273, '273'],
    [1000, 'x001/000'],
    [1234067, 'x001/x234/067'],
  ] as const) {
    assert.equal(tilePath({ level: 0, index, width: 256 }), `tile/0/${place}`)
    assert.equal(bundlePath({ index, width: 17 }), `tile/entries/${place}.p/17`)
    assert.deepEqual(parseTilePath(`tile/5/${place}.p/255`), { level: 5, index, width: 255 })
    assert.deepEqual(parseTilePath(`tile/entries/${place}`), { level: 'entries', index, width: 256 })
  }
  for (const path of [
    'tile/0/00',
    'tile/0/1000',
    'tile/0/x000/001',
    'tile/00/000',
    'tile/64/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/x001/x000',
    'tile/0/000/001',
    'tile/data/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    '/tile/0/000',
    'tile/0/000\n',
  ])
    assert.throws(() => parseTilePath(path), { code: 'InvalidTile' }, path)
})

test('the tiles of a log of 70,000 entries, after the example of the specification', () => {
  const size = 70_000
  const tiles = [...newTiles(0, size)]
  const of = (level: number) => tiles.filter((tile) => tile.level === level)
  assert.equal(of(0).filter(({ width }) => width === 256).length, 273)
  assert.deepEqual(of(0).at(-1), { level: 0, index: 273, width: 112 })
  assert.deepEqual(of(1), [
    { level: 1, index: 0, width: 256 },
    { level: 1, index: 1, width: 17 },
  ])
  assert.deepEqual(of(2), [{ level: 2, index: 0, width: 1 }])
  assert.equal(of(3).length, 0)
  assert.equal(tileAt(512, 0, 2), undefined)
  assert.deepEqual([...newTiles(size, size)], [])
  assert.deepEqual([...newTiles(69_999, size)], [{ level: 0, index: 273, width: 112 }])
})

test('roots and proofs from tiles, at the sizes where tiles begin and end', () => {
  const sizes = [1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000]
  const { read, roots } = logOf(sizes.at(-1)!, sizes)
  for (const size of sizes) {
    const source = createTileHashSource(size, read)
    const root = roots.get(size)!
    assert.deepEqual(treeRoot(source, size), root)
    for (const index of new Set([0, size >> 1, size - 1])) {
      const asked = new Set<string>()
      const counting = createTileHashSource(size, (tile) => {
        asked.add(tilePath(tile))
        return read(tile)
      })
      verifyInclusion(proveInclusion(counting, index, size), leafOf(index), { index, size, root })
      assert.ok(asked.size <= 5, `${asked.size} tiles for a proof`)
    }
    for (const old of sizes.filter((other) => other <= size))
      verifyConsistency(
        proveConsistency(source, old, size),
        { size: old, root: roots.get(old)! },
        { size, root },
      )
  }
})

test('a computation gets the tiles that it misses, and only those', async () => {
  const size = 1000
  const { read, roots } = logOf(size)
  const fetched: string[] = []
  const proof = await withTiles(
    size,
    async (tile) => {
      fetched.push(tilePath(tile))
      return read(tile)
    },
    (source) => proveInclusion(source, 300, size),
  )
  verifyInclusion(proof, leafOf(300), { index: 300, size, root: roots.get(size)! })
  assert.equal(new Set(fetched).size, fetched.length)
  assert.throws(() => createTileHashSource(size, () => undefined).hash(0, 0), MissingTileError)
  assert.throws(() => createTileHashSource(size, () => new Uint8Array(31)).hash(0, 0), {
    code: 'InvalidTile',
  })
  assert.throws(() => createTileHashSource(size, read).hash(0, size), RangeError)
})

test('bundles of entries, and what is cut short or has too many', () => {
  const entries = [new Uint8Array(0), new Uint8Array([1]), new Uint8Array(65_535)]
  const bundle = writeEntryBundle(entries)
  assert.deepEqual(readEntryBundle(bundle, 3), entries)
  assert.throws(() => readEntryBundle(bundle, 2), /3 entries instead of 2/)
  assert.throws(() => readEntryBundle(bundle.subarray(0, -1), 3), /entry 2 of the bundle is cut short/)
  assert.throws(() => readEntryBundle(bundle.subarray(0, 1), 1), /cut short/)
  assert.throws(() => writeEntryBundle([new Uint8Array(65_536)]), RangeError)
})
