import { createHash } from 'node:crypto'
import { type Cid, equalBytes } from '@imago/data'

/** What lies in the blob store is not what was put there. */
export class BlobDamagedError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BlobDamagedError'
  }
}

/**
 * A whole blob as it comes out of the store, hashed on the way. The last piece is held back until the hash is known, so
 * that nobody takes damaged bytes for the blob.
 * @param size of the blob, in bytes.
 * @throws {BlobDamagedError} in place of the last piece.
 */
export function verifiedBody(
  body: AsyncIterable<Uint8Array>,
  cid: Cid,
  size: number,
): AsyncIterator<Uint8Array, undefined> {
  const pieces = body[Symbol.asyncIterator]()
  const hash = createHash('sha256')
  let received = 0

  function check(): void {
    if (received === size && equalBytes(hash.digest(), cid.digest)) return
    throw new BlobDamagedError(
      received === size
        ? `the bytes in the blob store are not those of blob ${cid}: restore it from a backup`
        : `the blob store has ${received} of the ${size} bytes of blob ${cid}: restore it from a backup`,
    )
  }

  return {
    async next() {
      const { done, value } = await pieces.next()
      if (done) {
        // An empty blob, or one that ended early: otherwise the last piece was the last.
        if (received !== size || size === 0) check()
        return { done: true, value: undefined }
      }
      // Nothing to check anew, and after the last byte the hash is closed.
      if (value.length === 0) return { done: false, value }
      received += value.length
      hash.update(value)
      try {
        if (received >= size) check()
      } catch (error) {
        await pieces.return?.()
        throw error
      }
      return { done: false, value }
    },
    async return() {
      await pieces.return?.()
      return { done: true, value: undefined }
    },
  }
}
