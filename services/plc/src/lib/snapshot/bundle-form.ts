import { pipeline, Readable } from 'node:stream'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { createTreeAppender, hashLeaf, TILE_WIDTH } from '@imago/tlog'

/**
 * The form of a bundle: entries of the transparency log side by side, each behind its length as in the bundles of
 * c2sp.org/tlog-tiles, all of them in one zstd frame. They are read and written by the run: as many entries as one hash
 * of the first tile level covers, so that each run can be held against the log before the next one is looked at, and no
 * more than one is ever in memory.
 */
export const RUN_ENTRIES = TILE_WIDTH

/** A bundle covers what one hash of this level of tiles covers: 256 entries, or 65 536. */
export type BundleLevel = 1 | 2

/** Entries of one bundle. */
export const entriesAt = (level: BundleLevel): number => TILE_WIDTH ** level

export const BUNDLE_CONTENT_TYPE = 'application/zstd'

const LENGTH_BYTES = 2
const CHUNK_BYTES = 64 * 1024
/**
 * Keys, signatures and hashes are noise, and the rest is alike from entry to entry: level 1 leaves 183 of 601 bytes, level
 * 15 four fewer for 27 times the time (measured).
 */
const COMPRESSION_LEVEL = 1
/** Of what a decoder looks back on, as a power of two: whoever wrote the frame does not decide about our memory. */
const WINDOW_LOG = 21

/** @param runs what `writeEntryBundle` makes of the entries of each run. */
export function compressRuns(runs: AsyncIterable<Uint8Array>): Readable {
  const compressor = createZstdCompress({
    chunkSize: CHUNK_BYTES,
    params: {
      [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL,
      [constants.ZSTD_c_windowLog]: WINDOW_LOG,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  })
  // What goes wrong comes out of the iteration.
  return pipeline(Readable.from(runs, { objectMode: true, highWaterMark: 1 }), compressor, () => {})
}

/**
 * The entries of a bundle, run by run, as views. Memory is bounded by the longest run that there can be, 16 MiB,
 * whatever the bytes say.
 * @throws what `bundle` throws; {@link Error} of zlib for bytes that are no whole zstd frame, or one that looks back
 * further than ours; {@link RangeError} when it holds more or fewer entries than `count`.
 */
export async function* readRuns(
  bundle: AsyncIterable<Uint8Array>,
  count: number,
): AsyncGenerator<readonly Uint8Array[]> {
  const decompressor = createZstdDecompress({
    chunkSize: CHUNK_BYTES,
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
  })
  const decoded = pipeline(
    Readable.from(bundle, { objectMode: true, highWaterMark: 1 }),
    decompressor,
    () => {},
  )
  let left = count
  let run: Uint8Array[] = []
  let rest: Uint8Array = new Uint8Array(0)
  try {
    for await (const chunk of decoded as AsyncIterable<Uint8Array>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      for (let end = endOf(bytes, at); end <= bytes.length; at = end, end = endOf(bytes, at)) {
        if (left-- === 0) throw new RangeError(`it holds more than ${count} entries`)
        run.push(bytes.subarray(at + LENGTH_BYTES, end))
        if (run.length < RUN_ENTRIES) continue
        yield run
        run = []
      }
      rest = bytes.subarray(at)
    }
  } finally {
    decoded.destroy()
  }
  if (left > 0 || rest.length > 0)
    throw new RangeError(
      `it ends after ${count - left} entries and ${rest.length} bytes, of ${count} entries`,
    )
}

/** Where the entry ends that begins at `at`; beyond every length where that cannot be read yet. */
function endOf(bytes: Uint8Array, at: number): number {
  return at + LENGTH_BYTES > bytes.length
    ? Number.POSITIVE_INFINITY
    : at + LENGTH_BYTES + ((bytes[at]! << 8) | bytes[at + 1]!)
}

/** The hash that the log's tiles have for a run. */
export function runRoot(entries: Iterable<Uint8Array>): Uint8Array {
  const tree = createTreeAppender()
  for (const entry of entries) tree.append(hashLeaf(entry))
  return tree.root()
}
