import { equalBytes } from '@imago/data'
import {
  checkTrust,
  HASH_BYTES,
  type NoteKey,
  openAuthenticatedTiles,
  parseTrustPolicy,
  TILE_WIDTH,
  TlogError,
} from '@imago/tlog'
import { type BundleLevel, entriesAt, RUN_ENTRIES, readRuns, runRoot } from '../snapshot/bundle-form.ts'
import type { PlcStore } from '../store/plc-store.ts'
import { readEntry } from './read-entry.ts'
import type { ReplayCounts } from './replay-lines.ts'
import type { SignaturePool } from './signature-pool.ts'
import {
  type AnnouncedSnapshot,
  type SnapshotClient,
  SnapshotError,
  UpstreamLostError,
} from './snapshot-client.ts'
import { createEntryTaker } from './take-entries.ts'

/** Whoever lacks no more than this reads it page by page. */
const FEW_OPERATIONS = 1000

export interface ReadSnapshotOptions {
  readonly store: PlcStore
  readonly client: SnapshotClient
  readonly pool: SignaturePool
  /** What the checkpoint has to be signed with. Without it only the upstream vouches for order, times and completeness. */
  readonly logKey: NoteKey | undefined
  readonly signal: AbortSignal
  /** Told of each batch that is in the store. */
  readonly onTaken: (counts: ReplayCounts) => void
  /** Told of each bundle that is behind us, and of how many there are. */
  readonly onBundle: (done: number, of: number) => void
}

/**
 * Takes what the store lacks of a snapshot, in the order of the log. Each run of entries is held against the log's
 * tiles, and these against its checkpoint, before anything of it is looked at; then every operation is validated as
 * ever. The checkpoint is the one that came with the list, however the log goes on meanwhile. Begins behind what the
 * store has, in the middle of a bundle too.
 * @throws {SnapshotError} for what is not as the log says, {@link UpstreamLostError} when the connection broke.
 */
export async function readSnapshot(
  { checkpoint, bundles }: AnnouncedSnapshot,
  { store, client, pool, logKey, signal, onTaken, onBundle }: ReadSnapshotOptions,
): Promise<void> {
  const latest = (await store.latest())?.seq ?? 0
  if (bundles.length === 0 || bundles.at(-1)!.lastSeq - latest <= FEW_OPERATIONS) return
  const level = levelOf(bundles)
  const count = entriesAt(level)
  const { origin, size } = checkpoint.checkpoint
  if (bundles.length * count > size)
    throw new SnapshotError(`${bundles.length} bundles of ${count} entries are not within a log of ${size}`)
  if (logKey !== undefined)
    await checked(() => checkTrust(checkpoint, { ...QUORUM_NONE, logs: [{ key: logKey, url: undefined }] }))
  const tiles = await checked(() =>
    openAuthenticatedTiles(checkpoint.checkpoint, (tile) => client.tile(tile, signal)),
  )

  async function hashAt(tileLevel: number, index: number): Promise<Uint8Array> {
    const tile = await checked(() => tiles.tile(tileLevel, Math.floor(index / TILE_WIDTH)))
    const at = (index % TILE_WIDTH) * HASH_BYTES
    return tile.subarray(at, at + HASH_BYTES)
  }

  const taker = createEntryTaker({ store, pool, onTaken })
  // Entries of an observed log have numbers with gaps. To begin with the last bundle that begins at or before what
  // we have leaves nothing out, whatever the list says: the bundle itself shows where it begins.
  const begin = Math.max(
    0,
    bundles.findLastIndex(({ firstSeq }) => firstSeq <= latest + 1),
  )
  let seq = 0
  const opened = new AbortController()
  const whileReading = AbortSignal.any([signal, opened.signal])
  const open = (index: number) => {
    const bundle = client.bundle(index, whileReading)
    bundle.catch(() => {})
    return bundle
  }
  try {
    let next = open(begin)
    for (let index = begin; index < bundles.length; index++) {
      const what = `bundle ${index} of ${origin}`
      if (!equalBytes(bundles[index]!.root, await hashAt(level, index)))
        throw new SnapshotError(`${what} is announced with a root that is not the log's`)
      const body = await next
      // The connection of the next one stands while this one is taken: no more than its buffer is read of it.
      if (index + 1 < bundles.length) next = open(index + 1)
      let at = index * count
      for await (const run of wholeRuns(what, body, count)) {
        signal.throwIfAborted()
        if (!equalBytes(runRoot(run), await hashAt(1, at / RUN_ENTRIES)))
          throw new SnapshotError(`${what}: the entries from ${at} on are not those that the log has hashed`)
        for (const bytes of run) {
          const told = readEntry(bytes, at++)
          if (told.seq <= seq)
            throw new SnapshotError(`${what}: entry ${at - 1} has number ${told.seq}, after number ${seq}`)
          if (seq === 0 && index > 0 && told.seq > latest + 1)
            throw new SnapshotError(`${what} begins with number ${told.seq}, not ${bundles[index]!.firstSeq}`)
          seq = told.seq
          if (seq > latest) await taker.take(told)
        }
      }
      await taker.flush()
      onBundle(index + 1, bundles.length)
    }
  } finally {
    opened.abort()
  }
}

const QUORUM_NONE = parseTrustPolicy('quorum none')

function levelOf(bundles: AnnouncedSnapshot['bundles']): BundleLevel {
  const counts = new Set(bundles.map(({ count }) => count))
  const level = ([1, 2] as const).find((one) => counts.size === 1 && counts.has(entriesAt(one)))
  if (level === undefined)
    throw new SnapshotError(`bundles of ${[...counts].slice(0, 5).join(', ')} entries are not known here`)
  return level
}

/** The runs of one bundle; what is wrong with its bytes is said of it. */
async function* wholeRuns(what: string, body: AsyncIterable<Uint8Array>, count: number) {
  try {
    yield* readRuns(body, count)
  } catch (error) {
    if (error instanceof UpstreamLostError) throw error
    throw new SnapshotError(`${what} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

async function checked<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TlogError || error instanceof RangeError)
      throw new SnapshotError(error.message, { cause: error })
    throw error
  }
}
