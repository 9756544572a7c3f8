import { TlogError } from './tlog-error.ts'

/** Longest entry, in bytes: its length is written in 16 bits. */
export const MAX_ENTRY_BYTES = 65_535

const LENGTH_BYTES = 2

/**
 * Entries as they are served: each behind its length.
 * @throws {RangeError} for an entry beyond {@link MAX_ENTRY_BYTES}.
 * @see https://c2sp.org/tlog-tiles#log-entries
 */
export function writeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((total, entry) => total + LENGTH_BYTES + entry.length, 0))
  const view = new DataView(bundle.buffer)
  let at = 0
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES)
      throw new RangeError(`an entry of ${entry.length} bytes, and at most ${MAX_ENTRY_BYTES} fit`)
    view.setUint16(at, entry.length)
    bundle.set(entry, at + LENGTH_BYTES)
    at += LENGTH_BYTES + entry.length
  }
  return bundle
}

/**
 * The entries of a bundle, as views into it.
 * @param width how many there have to be.
 * @throws {TlogError} `InvalidTile` when there are more or fewer, or the last is cut short.
 */
export function readEntryBundle(bundle: Uint8Array, width: number): readonly Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength)
  const entries: Uint8Array[] = []
  for (let at = 0; at < bundle.length; ) {
    const end = at + LENGTH_BYTES <= bundle.length ? at + LENGTH_BYTES + view.getUint16(at) : Infinity
    if (end > bundle.length)
      throw new TlogError('InvalidTile', `entry ${entries.length} of the bundle is cut short`)
    entries.push(bundle.subarray(at + LENGTH_BYTES, end))
    at = end
  }
  if (entries.length !== width)
    throw new TlogError('InvalidTile', `the bundle has ${entries.length} entries instead of ${width}`)
  return entries
}
