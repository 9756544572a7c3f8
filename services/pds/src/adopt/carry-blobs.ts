import type { DatabaseSync } from 'node:sqlite'
import type { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import { inParallel } from '../backup/in-parallel.ts'
import type { BlobCarrier, BlobFault, ReferencePlace } from './blob-carrier.ts'
import { cidOf } from './reference-repo.ts'

/** A blob of the reference whose bytes are there. */
export interface ReferenceBlob {
  readonly cid: Cid
  readonly mimeType: string
  readonly size: number
  readonly createdAt: string
  readonly takedownRef: string | null
  /** No record refers to it. */
  readonly temporary: boolean
}

/** What came of the blobs of one account. */
export interface CarriedBlobs {
  readonly carried: number
  readonly bytes: number
  readonly takenDown: number
  /** Uploads that never came to their end. */
  readonly unfinished: number
  /** Blobs that records refer to, and whose bytes are not there. */
  readonly lost: readonly { readonly cid: string; readonly reason: string }[]
}

interface Row {
  cid: string
  mimeType: string
  size: number
  tempKey: string | null
  createdAt: string
  takedownRef: string | null
  isReferenced: number
}

/** Blobs on their way at a time. */
const WIDTH = 8

/**
 * Carries the bytes of an account's blobs, and calls `onBlob` for each whose bytes came. One whose bytes are missing or
 * wrong is left out: it can be uploaded again, as any blob that a record names and that is not there.
 * @param dryRun reads and checks only.
 */
export async function carryBlobs(
  sqlite: DatabaseSync,
  did: Did,
  carrier: BlobCarrier,
  dryRun: boolean,
  onBlob: (blob: ReferenceBlob) => void,
): Promise<CarriedBlobs> {
  const rows = sqlite
    .prepare(
      `SELECT cid, mimeType, size, tempKey, createdAt, takedownRef,
        EXISTS (SELECT 1 FROM record_blob WHERE blobCid = cid) AS isReferenced FROM blob`,
    )
    .all() as unknown as Row[]
  const blobs = rows.map((row) => ({ ...row, cid: cidOf(row.cid, 'the table of blobs') }))
  const faults: BlobFault[] = []
  await inParallel(blobs.entries(), WIDTH, async ([index, blob]) => {
    const place = placeOf(blob, did)
    faults[index] = dryRun ? await carrier.check(place, blob) : await carrier.take(place, blob)
  })

  const result = {
    carried: 0,
    bytes: 0,
    takenDown: 0,
    unfinished: 0,
    lost: [] as { cid: string; reason: string }[],
  }
  for (const [index, { isReferenced, tempKey, ...blob }] of blobs.entries()) {
    const fault = faults[index]
    if (fault !== undefined) {
      if (tempKey === null) result.lost.push({ cid: blob.cid.toString(), reason: fault })
      else result.unfinished++
      continue
    }
    result.carried++
    result.bytes += blob.size
    if (blob.takedownRef !== null) result.takenDown++
    onBlob({ ...blob, temporary: tempKey !== null || isReferenced === 0 })
  }
  return result
}

function placeOf(
  { cid, tempKey, takedownRef }: Pick<Row, 'tempKey' | 'takedownRef'> & { cid: Cid },
  did: Did,
): ReferencePlace {
  if (takedownRef !== null) return { kind: 'quarantined', did, cid }
  return tempKey === null ? { kind: 'served', did, cid } : { kind: 'temporary', did, key: tempKey }
}
