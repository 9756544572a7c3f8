import { ObjectStoreError } from '@imago/object-store'
import { openBlobStore } from '../blobs/blob-store.ts'
import { AdoptError } from './adopt-error.ts'
import type { AdoptionFolders } from './adoption-folders.ts'
import type { BlobCarrier } from './blob-carrier.ts'
import { createDiskBlobCarrier } from './blob-carrier-disk.ts'
import { createObjectBlobCarrier } from './blob-carrier-objects.ts'
import type { ReferenceLayout } from './reference-layout.ts'

/**
 * The way between the blobs of a reference and ours, wherever either lie.
 * @param options.dryRun checks only: nothing is made on our side.
 * @throws {AdoptError} Environment when its bucket cannot be read.
 */
export async function openBlobCarrier(
  layout: ReferenceLayout,
  { blobsDirectory, blobsBucket }: AdoptionFolders,
  { dryRun }: { dryRun: boolean },
): Promise<BlobCarrier> {
  const { bucket } = layout
  if (bucket === undefined) return createDiskBlobCarrier(layout, blobsDirectory)
  // Loaded by whoever needs it: it is as large as all the rest.
  const { createS3Store } = await import('@imago/object-store-s3')
  await using opened = new AsyncDisposableStack()
  const theirs = opened.use(createS3Store(bucket))
  try {
    // Before anything is written: a key that is not right would lose every blob otherwise.
    for await (const _ of theirs.list('blocks/')) break
  } catch (cause) {
    if (!(cause instanceof ObjectStoreError)) throw cause
    throw new AdoptError(
      'Environment',
      `the bucket ${bucket.bucket} of the reference PDS cannot be read: ${cause.message}: check PDS_BLOBSTORE_S3_* in its environment`,
      { cause },
    )
  }
  const ours = dryRun ? undefined : opened.use(await openBlobStore({ blobsDirectory, blobsBucket }))
  const held = opened.move()
  return createObjectBlobCarrier({ theirs, ours, prefix: blobsBucket?.prefix }, () => held.disposeAsync())
}
