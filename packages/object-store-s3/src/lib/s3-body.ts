import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { ObjectStoreError } from '@imago/object-store'
import { storeError } from './s3-errors.ts'

/**
 * The body of an answer, checked: a server that falls silent, ends early, or sends other bytes than were stored fails
 * the reader, who gets the last piece only after all of it has been found good.
 */
export function readS3Body(
  source: Readable,
  expected: { key: string; length: number; md5: string | undefined; stallMs: number },
): AsyncIterable<Uint8Array> & AsyncIterator<Uint8Array, undefined> {
  const { key, length, md5, stallMs } = expected
  const hash = md5 === undefined ? undefined : createHash('md5')
  const pieces: AsyncIterator<Buffer> = source[Symbol.asyncIterator]()
  // Destroyed before the first piece was asked for, a stream has nobody who would hear its error.
  source.on('error', () => {})
  let received = 0

  async function nextPiece(): Promise<IteratorResult<Buffer>> {
    const stalled = setTimeout(
      () =>
        source.destroy(
          new ObjectStoreError('Unavailable', key, `${key}: the S3 server sent nothing for ${stallMs} ms`),
        ),
      stallMs,
    )
    try {
      return await pieces.next()
    } finally {
      clearTimeout(stalled)
    }
  }

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        const { done, value } = await nextPiece()
        if (!done) {
          received += value.length
          hash?.update(value)
        }
        if (received > length || (done && received < length))
          throw new ObjectStoreError(
            'Corrupt',
            key,
            `${key}: the S3 server sent ${received} of ${length} bytes`,
          )
        if (received === length && hash !== undefined && md5 !== undefined && !done) {
          if (hash.digest('hex') !== md5)
            throw new ObjectStoreError(
              'Corrupt',
              key,
              `${key}: the bytes do not have the checksum with which they were stored`,
            )
        }
        return done ? { done: true, value: undefined } : { done: false, value }
      } catch (error) {
        source.destroy()
        throw storeError(key, error)
      }
    },
    async return() {
      source.destroy()
      return { done: true, value: undefined }
    },
  }
}
