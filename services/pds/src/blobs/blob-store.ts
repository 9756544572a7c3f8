import type { StagingStore } from '@imago/object-store'
import { openFolderStore } from '@imago/object-store/folder'
import type { S3StoreOptions } from '@imago/object-store-s3'
import { type Did, tryParseDid } from '@imago/syntax'
import { type BlobFiles, type BlobLayout, createBlobFiles } from './blob-files.ts'

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
    return storeOf(objects, FOLDER_LAYOUT, async () => {})
  }
  // Loaded by whoever needs it: it is as large as all the rest.
  const { createS3Store } = await import('@imago/object-store-s3')
  const objects = createS3Store(blobsBucket)
  return storeOf(objects, BUCKET_LAYOUT, async () => objects[Symbol.dispose]())
}

const FOLDER_LAYOUT: BlobLayout = {
  root: '',
  folderOf: encodeURIComponent,
  // The colons of a folder that another server left here are not encoded: it is none of ours.
  ownerOf: (folder) => (folder.includes(':') ? undefined : tryParseDid(decoded(folder))),
}

const BUCKET_LAYOUT: BlobLayout = {
  root: 'blocks/',
  folderOf: (did) => `blocks/${did}`,
  ownerOf: (folder) => tryParseDid(folder.slice('blocks/'.length)),
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function storeOf(objects: StagingStore, layout: BlobLayout, close: () => Promise<void>): BlobStore {
  const files = createBlobFiles(objects, layout)
  return { objects, folderOf: layout.folderOf, files, [Symbol.asyncDispose]: close }
}
