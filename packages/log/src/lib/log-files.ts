import { mkdir, open, readdir, unlink } from 'node:fs/promises'
import { lockFolder } from './folder-lock.ts'

/** One open file of a log. Positions and lengths are in bytes. */
export interface LogFile {
  size(): Promise<number>
  /** Fills `target` from `position` on, as far as the file goes. Returns how many bytes that were. */
  read(target: Uint8Array, position: number): Promise<number>
  /** Writes all of `bytes` at `position`. Durable only after `sync`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  truncate(length: number): Promise<void>
  /** When it resolves, contents and length of the file survive power loss. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** What a segment log asks of the operating system. A seam: tests pass one that fails. */
export interface LogFiles {
  makeFolder(folder: string): Promise<void>
  /**
   * Keeps others out of the folder until disposed of.
   * @throws {LogError} `Locked`
   */
  lock(folder: string): Disposable
  /** Names, in any order. */
  list(folder: string): Promise<string[]>
  /** Makes a file that must not exist yet. It survives power loss only after `syncFolder`. */
  create(path: string): Promise<LogFile>
  /** For reading and writing. */
  open(path: string): Promise<LogFile>
  remove(path: string): Promise<void>
  /** When it resolves, the names in the folder survive power loss. */
  syncFolder(folder: string): Promise<void>
}

async function openFile(path: string, flags: 'r+' | 'wx+'): Promise<LogFile> {
  const handle = await open(path, flags)
  return {
    size: async () => (await handle.stat()).size,
    read: async (target, position) => {
      let done = 0
      while (done < target.length) {
        const { bytesRead } = await handle.read(target, done, target.length - done, position + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    },
    write: async (bytes, position) => {
      let done = 0
      while (done < bytes.length)
        done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
    },
    truncate: (length) => handle.truncate(length),
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

/** The real file system. */
export const diskFiles: LogFiles = {
  makeFolder: async (folder) => {
    await mkdir(folder, { recursive: true })
  },
  lock: lockFolder,
  list: (folder) => readdir(folder),
  create: (path) => openFile(path, 'wx+'),
  open: (path) => openFile(path, 'r+'),
  remove: (path) => unlink(path),
  syncFolder: async (folder) => {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
