import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createPlc } from '@imago/plc'
import { createRandom } from '@imago/sim/random'
import {
  createTreeAppender,
  HASH_BYTES,
  proveInclusion,
  TILE_WIDTH,
  type Tile,
  tilePath,
  treeRoot,
  verifyInclusion,
  withTiles,
} from '@imago/tlog'
import { temporaryFolder } from '../lib/disk.ts'
import { median, summarize } from '../lib/figure.ts'
import type { GroupContext } from '../lib/group.ts'
import { measure } from '../lib/measure.ts'
import { formatFigure, type Row } from '../lib/row.ts'
import { openLibsecp256k1 } from '../lib/yardstick.ts'

const SEED = 7
/** Leaves come round again after so many: nothing in a proof depends on it, and only these have to be hashed. */
const PERIOD = TILE_WIDTH ** 2

/** A proof for one leaf of many, out of the tiles of a directory's own file, from none at hand to verified. */
export async function* rows({ quick }: GroupContext): AsyncGenerator<Row> {
  using folder = temporaryFolder()
  const size = quick ? 1_000_003 : 10_000_003
  const databaseFile = join(folder.path, 'plc.sqlite')
  await (await openDirectory(databaseFile))[Symbol.asyncDispose]()
  const leaves = growTree(databaseFile, size)
  await using plc = await openDirectory(databaseFile)

  let read: Tile[] = []
  const fetchTile = (tile: Tile) => {
    read.push(tile)
    return plc.store.tree.hashes(tile.level, tile.index * TILE_WIDTH, tile.width)
  }
  const root = await withTiles(size, fetchTile, (source) => treeRoot(source, size))
  const random = createRandom(SEED)
  const samples = Array.from({ length: quick ? 50 : 300 }, () => random.int(size))
  const prove = async (index: number) => {
    read = []
    const before = process.cpuUsage()
    const proof = await withTiles(size, fetchTile, (source) => proveInclusion(source, index, size))
    const { user, system } = process.cpuUsage(before)
    const place = (index % PERIOD) * HASH_BYTES
    verifyInclusion(proof, leaves.subarray(place, place + HASH_BYTES), { index, size, root })
    return { ms: (user + system) / 1000, tiles: new Set(read.map(tilePath)).size }
  }
  for (const index of samples.slice(0, 30)) await prove(index)
  const proofs: Awaited<ReturnType<typeof prove>>[] = []
  for (const index of samples) proofs.push(await prove(index))
  const times = proofs.map(({ ms }) => ms)
  const library = openLibsecp256k1()
  const yardstick = library?.yardstick(
    measure({ verify: library.verify }, { runs: 5, runMs: 50 }).verify.median,
  )
  const most = Math.max(...proofs.map(({ tiles }) => tiles))
  assert(most > 1)
  const name = `inclusion proof in a log of ${size.toLocaleString('en')} leaves`
  yield {
    name,
    unit: 'ms',
    ours: summarize(times).median,
    bar: { limit: 5 },
    ...(yardstick && { yardstick }),
    note: `of one core, from the tiles in the directory's file; 99 of 100 within ${formatFigure(times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)]!, 'ms')}`,
  }
  yield {
    name: `${name}: tiles read`,
    unit: 'tiles',
    ours: most,
    bar: { limit: 8 },
    note: `at most; the middle one ${median(proofs.map(({ tiles }) => tiles))}`,
  }
}

const openDirectory = (databaseFile: string) =>
  createPlc({
    databaseFile,
    transparency: {
      origin: 'bench.example/log',
      seed: new Uint8Array(32).fill(1),
      checkpointFile: `${databaseFile}.checkpoint`,
    },
  })

/** Writes the hashes of a log that has no operations. @returns the leaves of one period, side by side. */
function growTree(databaseFile: string, size: number): Uint8Array {
  const leaves = createRandom(SEED).bytes(PERIOD * HASH_BYTES)
  const appender = createTreeAppender()
  const levels: Uint8Array[][] = []
  for (let at = 0; at < leaves.length; at += HASH_BYTES)
    appender.append(leaves.subarray(at, at + HASH_BYTES), (level, _, hash) =>
      (levels[level] ??= []).push(hash),
    )
  using db = new DatabaseSync(databaseFile)
  const insert = db.prepare(
    `WITH RECURSIVE place (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM place WHERE n + 1 < :count)
     INSERT INTO tree_hash SELECT :level, n, substr(:hashes, (n % :period) * 32 + 1, 32) FROM place`,
  )
  db.exec('BEGIN')
  for (const [level, hashes] of levels.entries()) {
    const count = Math.floor(size / TILE_WIDTH ** level)
    if (count > 0) insert.run({ level, count, period: hashes.length, hashes: Buffer.concat(hashes) })
  }
  // Above a whole period, all subtrees of one width are alike.
  assert(size < TILE_WIDTH ** 3)
  db.exec('COMMIT')
  return leaves
}
