import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Cid, cidFromDigest, RAW_CODEC } from '@imago/data'
import type { Did } from '@imago/syntax'
import { type BlobFiles, BlobTooLargeError, SNIFF_BYTES, type StagedBlob } from './blob-files.ts'

const TEMPORARY = 'tmp'
const READ_CHUNK_BYTES = 64 * 1024
const WRITE_BYTES = 512 * 1024

/**
 * Blobs as files: `<folder>/<did>/<cid>`, uploads in `<folder>/tmp`. The folder belongs to this process alone: what
 * lies in `tmp` when it starts was left by a crash, and is removed.
 */
export async function openDiskBlobFiles(options: {
  folder: string
  /** Names of temporary files: never the same twice. */
  randomId: () => string
}): Promise<BlobFiles> {
  const { folder, randomId } = options
  const temporaryFolder = join(folder, TEMPORARY)
  await mkdir(temporaryFolder, { recursive: true })
  for (const name of await readdir(temporaryFolder)) await unlink(join(temporaryFolder, name))

  // A DID holds colons, which not every file system takes; percent-encoding keeps names apart.
  const folderOf = (did: Did) => join(folder, encodeURIComponent(did))
  const fileOf = (did: Did, cid: Cid) => join(folderOf(did), cid.toString())

  return {
    async stage(did, body, maxBytes): Promise<StagedBlob> {
      const path = join(temporaryFolder, randomId())
      const file = await open(path, 'wx')
      try {
        const { cid, size, prefix } = await receive(file, body, maxBytes)
        await file.sync()
        await file.close()
        let kept = false
        return {
          cid,
          size,
          prefix,
          async keep() {
            const target = fileOf(did, cid)
            const accountFolder = dirname(target)
            // The folder's own entry must be durable as well, or the first blob of an account would hang in the air.
            if ((await mkdir(accountFolder, { recursive: true })) !== undefined) await syncFolder(folder)
            await rename(path, target)
            kept = true
            await syncFolder(accountFolder)
          },
          async [Symbol.asyncDispose]() {
            if (!kept) await rm(path, { force: true })
          },
        }
      } catch (error) {
        await file.close().catch(() => {})
        await rm(path, { force: true })
        throw error
      }
    },

    async read(did, cid, range) {
      let file: FileHandle
      try {
        file = await open(fileOf(did, cid), 'r')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
      const { size } = await file.stat()
      return { size, body: streamOf(file, range?.start ?? 0, range?.end ?? size - 1) }
    },

    async remove(did, cid) {
      await rm(fileOf(did, cid), { force: true })
    },

    async removeAll(did) {
      await rm(folderOf(did), { recursive: true, force: true })
    },
  }
}

async function receive(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ cid: Cid; size: number; prefix: Uint8Array }> {
  const hash = createHash('sha256')
  const prefix = new Uint8Array(SNIFF_BYTES)
  let size = 0
  // A socket brings small pieces; each call into the file system costs more than they do.
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  for await (const chunk of body) {
    if (size + chunk.length > maxBytes) throw new BlobTooLargeError(maxBytes)
    if (size < SNIFF_BYTES) prefix.set(chunk.subarray(0, SNIFF_BYTES - size), size)
    size += chunk.length
    hash.update(chunk)
    waiting.push(chunk)
    waitingBytes += chunk.length
    if (waitingBytes < WRITE_BYTES) continue
    await writeAll(file, waiting)
    waiting = []
    waitingBytes = 0
  }
  await writeAll(file, waiting)
  return {
    cid: cidFromDigest(RAW_CODEC, hash.digest()),
    size,
    prefix: prefix.subarray(0, Math.min(size, SNIFF_BYTES)),
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  if (chunks.length === 0) return
  const total = chunks.reduce((sum, { length }) => sum + length, 0)
  let { bytesWritten: written } = await file.writev(chunks)
  if (written === total) return
  // The system may take less than it was given.
  for (const rest = Buffer.concat(chunks); written < total; )
    written += (await file.write(rest, written)).bytesWritten
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Reads on demand and closes the file at the end, on an error, and when the reader goes away. */
function streamOf(file: FileHandle, start: number, end: number): ReadableStream<Uint8Array> {
  let position = start
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const length = Math.min(READ_CHUNK_BYTES, end - position + 1)
        const { bytesRead, buffer } =
          length <= 0
            ? { bytesRead: 0, buffer: new Uint8Array(0) }
            : await file.read(new Uint8Array(length), 0, length, position)
        if (bytesRead === 0) {
          await file.close()
          controller.close()
          return
        }
        position += bytesRead
        controller.enqueue(buffer.subarray(0, bytesRead))
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  )
}
