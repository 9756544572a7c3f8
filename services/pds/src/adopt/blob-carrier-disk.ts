import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { BlobCarrier, ReferencePlace } from './blob-carrier.ts'
import { carryFile, faultOfBlobFile, syncPath } from './carry-blob-files.ts'
import { createDeferredSyncs } from './deferred-syncs.ts'
import type { ReferenceLayout } from './reference-layout.ts'

/** From folder to folder: a file gets a second name where that can be, which takes neither time nor space. */
export function createDiskBlobCarrier(
  { blobs, temporaryBlobs }: Pick<ReferenceLayout, 'blobs' | 'temporaryBlobs'>,
  blobsDirectory: string,
): BlobCarrier {
  const syncs = createDeferredSyncs()
  // One that was taken down lies with the others here, and its row keeps it from being served.
  const ours = (did: Did, cid: Cid) => join(blobsDirectory, encodeURIComponent(did), cid.toString())

  function theirs(place: ReferencePlace): string {
    if (place.kind === 'served') return join(blobs, place.did, place.cid.toString())
    if (place.kind === 'temporary') return join(temporaryBlobs, place.did, place.key)
    return join(blobs, 'quarantine', place.did, place.cid.toString())
  }

  /** The folders above may be new as well. */
  function syncLater(file: string): void {
    syncs.add(file)
    for (let folder = dirname(file); folder.length >= blobsDirectory.length; folder = dirname(folder)) {
      syncs.add(folder)
      if (folder === dirname(folder)) return
    }
  }

  return {
    check: async (place, { cid, size }) => faultOfBlobFile(theirs(place), cid, size),
    async take(place, { cid, size }) {
      const from = theirs(place)
      const fault = faultOfBlobFile(from, cid, size)
      if (fault !== undefined) return fault
      const to = ours(place.did, cid)
      carryFile(from, to)
      syncLater(to)
      return undefined
    },
    sync: syncs.run,
    async give(cid, place) {
      const to = theirs(place)
      carryFile(ours(place.did, cid), to)
      syncPath(to)
      syncPath(dirname(to))
    },
    remove: async (place) => rmSync(theirs(place), { force: true }),
    async removeAll(did) {
      for (const folder of [blobs, temporaryBlobs, join(blobs, 'quarantine')])
        rmSync(join(folder, did), { recursive: true, force: true })
    },
    async [Symbol.asyncDispose]() {},
  }
}
