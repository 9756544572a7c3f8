import type { BlobRef } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { BlobIndex } from '../blobs/blob-index.ts'

/** A record refers to a blob that is not there, or is something else than it says. */
export class BlobMismatchError extends Error {
  readonly code: 'BlobNotFound' | 'InvalidMimeType' | 'InvalidSize'

  constructor(code: BlobMismatchError['code'], message: string) {
    super(message)
    this.name = 'BlobMismatchError'
    this.code = code
  }
}

/**
 * Checks that every blob has been uploaded to the account, and is what the reference says. Whether it is still there
 * when the record is written, the commit checks again.
 * @throws {BlobMismatchError}
 */
export async function checkBlobs(
  index: Pick<BlobIndex, 'get'>,
  did: Did,
  refs: readonly BlobRef[],
): Promise<void> {
  for (const { ref, mimeType, size } of refs) {
    const blob = await index.get(did, ref)
    if (blob === undefined)
      throw new BlobMismatchError(
        'BlobNotFound',
        `blob ${ref} has not been uploaded to this account, or its time is over`,
      )
    if (blob.takedownRef !== undefined)
      throw new BlobMismatchError(
        'BlobNotFound',
        `blob ${ref} has been taken down: no record can refer to it any more`,
      )
    if (blob.mimeType !== mimeType)
      throw new BlobMismatchError(
        'InvalidMimeType',
        `blob ${ref} is ${blob.mimeType}, and the record says ${mimeType}`,
      )
    if (blob.size !== size)
      throw new BlobMismatchError(
        'InvalidSize',
        `blob ${ref} has ${blob.size} bytes, and the record says ${size}`,
      )
  }
}
