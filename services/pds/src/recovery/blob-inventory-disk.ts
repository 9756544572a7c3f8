import { createReadStream } from 'node:fs'
import { copyFile, type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RAW_CODEC, tryParseCid } from '@imago/data'
import { type Did, tryParseDid } from '@imago/syntax'
import type { BlobFile, BlobInventory } from './blob-inventory.ts'

/** The folder that `openDiskBlobFiles` keeps: `<folder>/<did>/<cid>`, uploads in `<folder>/tmp`. Read as it is. */
export function openDiskBlobInventory(folder: string): BlobInventory {
  async function fileAt(name: string): Promise<BlobFile | undefined> {
    const stats = await unlessAbsent(stat(join(folder, name)))
    if (stats === undefined || !stats.isFile()) return undefined
    const cid = tryParseCid(name.slice(name.lastIndexOf('/') + 1))
    return {
      name,
      cid: cid?.codec === RAW_CODEC ? cid : undefined,
      size: stats.size,
      modifiedAt: stats.mtimeMs,
    }
  }

  async function* filesBelow(name: string): AsyncGenerator<BlobFile> {
    for await (const entry of entriesOf(join(folder, name))) {
      const below = name === '' ? entry.name : `${name}/${entry.name}`
      if (entry.isDirectory()) yield* filesBelow(below)
      else {
        const file = await fileAt(below)
        if (file !== undefined) yield file
      }
    }
  }

  return {
    async *accounts() {
      for await (const entry of entriesOf(folder)) {
        const did = entry.isDirectory() ? didOf(entry.name) : undefined
        if (did !== undefined) yield did
      }
    },
    files: (did) => filesBelow(encodeURIComponent(did)),
    async *others() {
      for await (const entry of entriesOf(folder)) {
        if (OF_THE_REFERENCE.has(entry.name)) continue
        if (entry.isDirectory()) {
          if (didOf(entry.name) === undefined) yield* filesBelow(entry.name)
          continue
        }
        const file = await fileAt(entry.name)
        if (file !== undefined) yield file
      }
    },
    find: (did, cid) => fileAt(`${encodeURIComponent(did)}/${cid}`),
    read: ({ name }) => createReadStream(join(folder, name)),
    async take({ name }, path) {
      const from = join(folder, name)
      await mkdir(dirname(path), { recursive: true })
      try {
        await rename(from, path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
        // Blobs lie on another file system.
        await copyFile(from, path)
        await sync(path)
        await rm(from)
      }
      await sync(dirname(path))
      await sync(dirname(from))
    },
  }
}

/** Folders of a reference PDS that was taken over, whose blobs lie here as well: it may be gone back to. */
const OF_THE_REFERENCE: ReadonlySet<string> = new Set(['tempt', 'quarantine'])

function didOf(name: string): Did | undefined {
  try {
    return tryParseDid(decodeURIComponent(name))
  } catch {
    return undefined
  }
}

async function* entriesOf(path: string) {
  const folder = await unlessAbsent(opendir(path))
  if (folder !== undefined) yield* folder
}

async function unlessAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function sync(path: string): Promise<void> {
  const file: FileHandle = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
