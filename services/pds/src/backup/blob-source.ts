import { createHash } from 'node:crypto'
import { type Cid, equalBytes } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { BlobStore } from '../blobs/blob-store.ts'

/** The blobs of a server, as objects. */
export type BlobObjects = Pick<BlobStore, 'objects' | 'folderOf'>

export const blobObjectKey = ({ folderOf }: BlobObjects, did: Did, cid: Cid) => `${folderOf(did)}/${cid}`

/** A blob is gone, or its bytes are not what its CID says. */
export class BlobUnreadableError extends Error {}

/**
 * The bytes of a blob, as its CID says. Nothing is opened before somebody reads.
 * @throws {BlobUnreadableError} when there are none, or at their end, when they are others.
 */
export async function* readBlob(blobs: BlobObjects, did: Did, cid: Cid): AsyncGenerator<Uint8Array> {
  const object = await blobs.objects.get(blobObjectKey(blobs, did, cid))
  if (object === undefined) throw new BlobUnreadableError(`the bytes of ${cid} are gone`)
  yield* checked(object.body, cid)
}

/** The same bytes. @throws {BlobUnreadableError} at their end, when the CID says others. */
export async function* checked(body: AsyncIterable<Uint8Array>, cid: Cid): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const bytes of body) {
    hash.update(bytes)
    yield bytes
  }
  if (!equalBytes(hash.digest(), cid.digest))
    throw new BlobUnreadableError(`the bytes are not those of ${cid}`)
}
