import type { BlobRef, Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { BlobFiles } from './blob-files.ts'
import type { BlobIndex, BlobRow } from './blob-index.ts'
import { sniffMimeType } from './sniff-mime-type.ts'

/** Uploads, and what becomes of them. */
export interface Blobs {
  /**
   * Takes in a body. When it resolves, bytes and row survive a power cut; the blob is temporary until a commit refers to
   * it.
   * @param declaredType what the client says it is; what the bytes show wins.
   * @throws {BlobTooLargeError}
   */
  upload(did: Did, body: AsyncIterable<Uint8Array>, declaredType: string): Promise<BlobRef>
  /** A blob that a record refers to; `undefined` for any other. */
  find(did: Did, cid: Cid): Promise<BlobRow | undefined>
  read: BlobFiles['read']
  /** Removes the bytes of an account that is gone. */
  removeAll: BlobFiles['removeAll']
  /** Removes uploads that no record has referred to for {@link TEMPORARY_BLOB_LIFETIME_MS}. Returns how many went. */
  sweep(): Promise<number>
}

/** The specification asks for an hour at least; a person may take longer over a post. */
export const TEMPORARY_BLOB_LIFETIME_MS = 24 * 3_600_000

const SWEEP_PAGE = 100

export function createBlobs(ports: {
  files: BlobFiles
  index: BlobIndex
  now: () => number
  maxBytes: number
}): Blobs {
  const { files, index, now, maxBytes } = ports
  const exclusive = createLock()

  return {
    async upload(did, body, declaredType) {
      await using staged = await files.stage(did, body, maxBytes)
      const { cid, size, prefix } = staged
      const mimeType = sniffMimeType(prefix) ?? declaredType
      // Between the file's new name and its row, the sweeper must not come by and take the file for rubbish.
      const row = await exclusive(async () => {
        await staged.keep()
        return index.add(did, { cid, mimeType, size, createdAt: now() })
      })
      if (row === undefined) throw new Error(`the account ${did} went away during an upload`)
      return { $type: 'blob', ref: cid, mimeType: row.mimeType, size }
    },

    async find(did, cid) {
      const row = await index.get(did, cid)
      return row?.temporary ? undefined : row
    },

    read: files.read,
    removeAll: files.removeAll,

    async sweep() {
      const before = now() - TEMPORARY_BLOB_LIFETIME_MS
      let removed = 0
      for (;;) {
        const page = await index.listExpired(before, SWEEP_PAGE)
        for (const blob of page)
          await exclusive(async () => {
            if (!(await index.removeExpired(blob, before))) return
            await files.remove(blob.did, blob.cid)
            removed++
          })
        if (page.length < SWEEP_PAGE) return removed
      }
    },
  }
}

/** One at a time, in the order in which they ask. */
function createLock(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}
