import type { FileHandle } from 'node:fs/promises'
import { guarded } from './folder-errors.ts'
import { ObjectStoreError } from './object-store-error.ts'

const READ_BYTES = 256 * 1024

/**
 * The bytes of an open file from `first` to `last`, read as they are asked for. Closes the file at the end, on an
 * error, and when the reader goes away. (Not a generator: one that was never started would not close it.)
 */
export function readFileBody(
  file: FileHandle,
  key: string,
  first: number,
  last: number,
): AsyncIterable<Uint8Array> & AsyncIterator<Uint8Array, undefined> {
  let position = first
  let open = true
  async function close(): Promise<IteratorReturnResult<undefined>> {
    if (open) {
      open = false
      await file.close()
    }
    return { done: true, value: undefined }
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (!open || position > last) return close()
      try {
        const length = Math.min(READ_BYTES, last - position + 1)
        const buffer = Buffer.allocUnsafeSlow(length)
        const { bytesRead } = await guarded(key, () => file.read(buffer, 0, length, position))
        if (bytesRead === 0)
          throw new ObjectStoreError('Corrupt', key, `${key} ends before byte ${last}, which it had`)
        position += bytesRead
        if (position > last) await close()
        return { done: false, value: buffer.subarray(0, bytesRead) }
      } catch (error) {
        await close()
        throw error
      }
    },
    return: close,
  }
}
