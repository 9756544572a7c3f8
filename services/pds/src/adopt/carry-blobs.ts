import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import { type BlobFault, carryFile, faultOfBlobFile } from './carry-blob-files.ts'
import type { DeferredSyncs } from './deferred-syncs.ts'
import { blobFile, quarantinedBlobFile, type ReferenceLayout, temporaryBlobFile } from './reference-layout.ts'
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

/** Where files go. */
export interface BlobTarget {
  readonly blobsDirectory: string
  /** Must run before the rows of the blobs are committed. */
  readonly syncs: DeferredSyncs
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

/**
 * Carries the files of an account's blobs, and calls `onBlob` for each whose file is safe. One whose bytes are missing
 * or wrong is left out: it can be uploaded again, as any blob that a record names and that is not there.
 * @param to `undefined` reads and checks only.
 */
export function carryBlobs(
  sqlite: DatabaseSync,
  did: Did,
  layout: ReferenceLayout,
  to: BlobTarget | undefined,
  onBlob: (blob: ReferenceBlob) => void,
): CarriedBlobs {
  const rows = sqlite
    .prepare(
      `SELECT cid, mimeType, size, tempKey, createdAt, takedownRef,
        EXISTS (SELECT 1 FROM record_blob WHERE blobCid = cid) AS isReferenced FROM blob`,
    )
    .all() as unknown as Row[]
  const result = {
    carried: 0,
    bytes: 0,
    takenDown: 0,
    unfinished: 0,
    lost: [] as { cid: string; reason: string }[],
  }
  const blobs: ReferenceBlob[] = []
  for (const row of rows) {
    const cid = cidOf(row.cid, 'the table of blobs')
    const from = fileOf(row, cid, did, layout)
    const fault: BlobFault = faultOfBlobFile(from, cid, row.size)
    if (fault !== undefined) {
      if (row.tempKey === null) result.lost.push({ cid: row.cid, reason: fault })
      else result.unfinished++
      continue
    }
    if (to !== undefined) carry(from, adoptedBlobFile(to.blobsDirectory, did, cid), to)
    result.carried++
    result.bytes += row.size
    if (row.takedownRef !== null) result.takenDown++
    blobs.push({ ...row, cid, temporary: row.tempKey !== null || row.isReferenced === 0 })
  }
  for (const blob of blobs) onBlob(blob)
  return result
}

function fileOf(row: Row, cid: Cid, did: Did, layout: ReferenceLayout): string {
  if (row.takedownRef !== null) return quarantinedBlobFile(layout, did, cid)
  return row.tempKey === null ? blobFile(layout, did, cid) : temporaryBlobFile(layout, did, row.tempKey)
}

/** The file of a blob in our own folder. One that was taken down lies there as well, and its row keeps it from being served. */
export const adoptedBlobFile = (blobsDirectory: string, did: Did, cid: Cid) =>
  join(blobsDirectory, encodeURIComponent(did), cid.toString())

function carry(from: string, file: string, { blobsDirectory, syncs }: BlobTarget): void {
  carryFile(from, file)
  syncs.add(file)
  // The folders above may be new as well.
  for (let folder = dirname(file); folder.length >= blobsDirectory.length; folder = dirname(folder)) {
    syncs.add(folder)
    if (folder === dirname(folder)) return
  }
}
