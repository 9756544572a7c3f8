import { Cid } from './cid.ts'
import { isDataMap, type Value } from './value.ts'

/**
 * A reference from a record to a blob.
 * @see https://atproto.com/specs/data-model#blob-type
 */
export type BlobRef = {
  $type: 'blob'
  /** Names the bytes of the blob. New ones use the raw codec; the data model alone does not insist. */
  ref: Cid
  /** Not empty. */
  mimeType: string
  /** Bytes. */
  size: number
}

/** Whether a value has the shape of a blob reference: its four keys, and no other. */
export function isBlobRef(value: unknown): value is BlobRef {
  return (
    isDataMap(value) &&
    value['$type'] === 'blob' &&
    value['ref'] instanceof Cid &&
    typeof value['mimeType'] === 'string' &&
    value['mimeType'] !== '' &&
    Number.isSafeInteger(value['size']) &&
    (value['size'] as number) >= 0 &&
    Object.keys(value).length === 4
  )
}

/** All blob references within a value, in the order in which they stand; one that stands twice comes twice. */
export function findBlobRefs(value: Value): BlobRef[] {
  const found: BlobRef[] = []
  const visit = (part: Value): void => {
    if (isBlobRef(part)) found.push(part)
    else if (Array.isArray(part)) part.forEach(visit)
    else if (isDataMap(part)) Object.values(part).forEach(visit)
  }
  visit(value)
  return found
}
