import type { StagingStore } from '@imago/object-store'
import { openFolderStore } from '@imago/object-store/folder'
import type { S3StoreOptions } from '@imago/object-store-s3'
import type { Did } from '@imago/syntax'
import { type BlobFiles, createBlobFiles } from './blob-files.ts'

/** Where the bytes of blobs lie. */
export interface BlobLocation {
  /** Folder of blobs, unless they lie in S3. Made if absent. */
  readonly blobsDirectory: string
  /** The bucket of blobs. */
  readonly blobsBucket?: S3StoreOptions | undefined
}

/** Blobs where the operator wants them. */
export interface BlobStore extends AsyncDisposable {
  readonly files: BlobFiles
  /** The same, as objects. */
  readonly objects: StagingStore
  /** Where the blobs of an account lie among the objects, without a slash at the end. */
  folderOf(did: Did): string
}

/**
 * Opens the store, and does not ask a bucket for anything yet.
 *
 * In a folder: `<did>/<cid>`, the DID percent-encoded, since not every file system takes a colon. In a bucket:
 * `blocks/<did>/<cid>`, as the reference has it, so that its buckets can be gone on with.
 */
export async function openBlobStore({ blobsDirectory, blobsBucket }: BlobLocation): Promise<BlobStore> {
  if (blobsBucket === undefined) {
    const objects = await openFolderStore({ folder: blobsDirectory })
    return storeOf(objects, encodeURIComponent, async () => {})
  }
  // Loaded by whoever needs it: it is as large as all the rest.
  const { createS3Store } = await import('@imago/object-store-s3')
  const objects = createS3Store(blobsBucket)
  return storeOf(
    objects,
    (did) => `blocks/${did}`,
    async () => objects[Symbol.dispose](),
  )
}

function storeOf(
  objects: StagingStore,
  folderOf: (did: Did) => string,
  close: () => Promise<void>,
): BlobStore {
  return { objects, folderOf, files: createBlobFiles(objects, folderOf), [Symbol.asyncDispose]: close }
}
