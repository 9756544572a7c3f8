import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type Cid, cidFromDigest, RAW_CODEC } from '@imago/data'
import type { BlobFault } from './blob-carrier.ts'

const CHUNK_BYTES = 1024 * 1024

/**
 * Reads a file to its end, and compares it with the CID.
 * @param size that it should have, in bytes.
 * @returns what is wrong with it.
 */
export function faultOfBlobFile(path: string, cid: Cid, size: number): BlobFault {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 'its file is missing'
  if (stats.size !== size) return 'its file has other bytes'
  const digest = tryDigestOf(path)
  if (digest === undefined) return 'its file cannot be read'
  return cidFromDigest(RAW_CODEC, digest).equals(cid) ? undefined : 'its file has other bytes'
}

/** `undefined` for a file that a bad disk, or its permissions, keep from us. */
function tryDigestOf(path: string): Uint8Array | undefined {
  try {
    return digestOf(path)
  } catch (error) {
    if (['EIO', 'EACCES', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

function digestOf(path: string): Uint8Array {
  const hash = createHash('sha256')
  const buffer = new Uint8Array(CHUNK_BYTES)
  const file = openSync(path, 'r')
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      hash.update(buffer.subarray(0, read))
  } finally {
    closeSync(file)
  }
  return hash.digest()
}

/**
 * Gives a file a second name, which costs no space, or copies it where that cannot be (another file system): then as a
 * clone that shares its blocks, where the file system can do that. Durable after {@link syncPath} of file and folder:
 * nobody may have waited for the disk when the file was written.
 */
export function carryFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  try {
    linkSync(from, to)
    return
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // There from an earlier run, which was stopped.
    if (
      code === 'EEXIST' &&
      statSync(from).ino === statSync(to).ino &&
      statSync(from).dev === statSync(to).dev
    )
      return
    if (!CANNOT_LINK.has(code)) throw error
  }
  const unfinished = `${to}.unfinished`
  rmSync(unfinished, { force: true })
  copyFileSync(from, unfinished, constants.COPYFILE_FICLONE)
  syncPath(unfinished)
  renameSync(unfinished, to)
}

const CANNOT_LINK: ReadonlySet<string | undefined> = new Set([
  'EEXIST',
  'EXDEV',
  'EPERM',
  'EMLINK',
  'ENOTSUP',
])

/** Waits until a file's bytes, or the names in a folder, are on disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
