import { type BlobLocation, openBlobStore } from '../blobs/blob-store.ts'
import type { BlobInventory } from './blob-inventory.ts'
import { openDiskBlobInventory } from './blob-inventory-disk.ts'
import { createObjectBlobInventory } from './blob-inventory-objects.ts'

/** The blobs of a server where its settings say that they lie. A folder is read as it is, and not made. */
export async function openBlobInventory(location: BlobLocation): Promise<BlobInventory & AsyncDisposable> {
  if (location.blobsBucket === undefined)
    return { ...openDiskBlobInventory(location.blobsDirectory), [Symbol.asyncDispose]: async () => {} }
  const store = await openBlobStore(location)
  return {
    ...createObjectBlobInventory(store.objects),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
