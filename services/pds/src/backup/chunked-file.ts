import { type FileHandle, open } from 'node:fs/promises'

/** Sixty-four pages: small enough that a few scattered writes send little, large enough for few objects. */
export const CHUNK_BYTES = 256 * 1024

export async function openDisposable(
  path: string,
  flags = 'r',
  mode?: number,
): Promise<AsyncDisposable & { readonly handle: FileHandle }> {
  const handle = await open(path, flags, mode)
  return { handle, [Symbol.asyncDispose]: () => handle.close() }
}

/** One piece of a file that stands still: the last may be shorter. */
export async function readChunk(file: FileHandle, index: number, fileBytes: number): Promise<Uint8Array> {
  const start = index * CHUNK_BYTES
  const content = new Uint8Array(Math.min(CHUNK_BYTES, fileBytes - start))
  for (let at = 0; at < content.length; ) {
    const { bytesRead } = await file.read(content, at, content.length - at, start + at)
    if (bytesRead === 0)
      throw new Error(`the copy of the database ends at ${start + at}, before ${fileBytes}`)
    at += bytesRead
  }
  return content
}

export async function writeAt(file: FileHandle, content: Uint8Array, start: number): Promise<void> {
  for (let at = 0; at < content.length; )
    at += (await file.write(content, at, content.length - at, start + at)).bytesWritten
}
