import type { FileHandle } from 'node:fs/promises'
import { guarded } from './folder-errors.ts'
import { freePieces } from './free-pieces.ts'
import { joinPieces } from './join-pieces.ts'
import type { ObjectBody } from './object-store.ts'

/** Few calls, and little that waits for them. */
const WRITE_BYTES = 128 * 1024

/**
 * Writes a whole body at the start of a file. What the body throws is thrown on.
 * @param mayFree whether nobody else needs the pieces.
 * @returns how many bytes it had.
 */
export async function writeFileBody(
  file: FileHandle,
  body: ObjectBody,
  key: string,
  mayFree: boolean,
): Promise<number> {
  if (body instanceof Uint8Array) {
    await writeAll(file, [body], body.length, 0, key)
    return body.length
  }
  let size = 0
  for await (const { pieces, length } of joinPieces(body, WRITE_BYTES)) {
    await writeAll(file, pieces, length, size, key)
    size += length
    if (mayFree) freePieces(pieces)
  }
  return size
}

async function writeAll(
  file: FileHandle,
  pieces: readonly Uint8Array[],
  length: number,
  position: number,
  key: string,
): Promise<void> {
  await guarded(key, async () => {
    let { bytesWritten: written } = await file.writev(pieces, position)
    if (written === length) return
    // The system may take less than it was given; a full disk takes nothing, and throws.
    for (const rest = Buffer.concat(pieces); written < length; )
      written += (await file.write(rest, written, length - written, position + written)).bytesWritten
  })
}
