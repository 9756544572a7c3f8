import { concatBytes } from '@imago/data'
import { NAME_BYTES } from './backup-keys.ts'
import { type BackupRepository, type BLOBS, type CHUNKS, placeOf } from './backup-repository.ts'

/** Names in one list of the database's chunks: 4,096 chunks of 256 KiB are one GiB. */
const LIST_LENGTH = 4096
/** Blobs in one list, on average. */
const BUCKET_LENGTH = 256

/** Lists of names in order: chunks of a file. */
export function inOrder(keys: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(keys.length / LIST_LENGTH) }, (_, i) =>
    keys.slice(i * LIST_LENGTH, (i + 1) * LIST_LENGTH),
  )
}

/**
 * Lists of names in no order: a set. Who is in which list depends on the name alone, so that one name more changes one
 * list, and the others are in the repository already.
 */
export function inBuckets(keys: Iterable<string>): string[][] {
  const sorted = [...keys].sort()
  const bits = Math.max(0, Math.ceil(Math.log2(sorted.length / BUCKET_LENGTH)))
  if (bits === 0) return sorted.length === 0 ? [] : [sorted]
  const buckets = Map.groupBy(sorted, (key) => {
    const name = key.lastIndexOf('/') + 1
    return Number.parseInt(key.slice(name, name + 8), 16) >>> (32 - bits)
  })
  return [...buckets.values()]
}

/** The keys that lists of a manifest hold, in order. */
export async function* readLists(
  repository: Pick<BackupRepository, 'getChunk'>,
  lists: readonly string[],
  prefix: typeof CHUNKS | typeof BLOBS,
): AsyncGenerator<string> {
  for (const list of lists) yield* unpackNames(prefix, await repository.getChunk(list))
}

/** A list of keys as one run of bytes. */
export const packNames = (keys: readonly string[]): Uint8Array =>
  concatBytes(keys.map((key) => Uint8Array.fromHex(key.slice(key.lastIndexOf('/') + 1))))

function unpackNames(prefix: string, list: Uint8Array): string[] {
  return Array.from({ length: list.length / NAME_BYTES }, (_, i) =>
    placeOf(prefix, list.subarray(i * NAME_BYTES, (i + 1) * NAME_BYTES)),
  )
}
