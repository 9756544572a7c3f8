import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { HeldBlocks } from '@imago/repo'
import { createBlockFile } from './block-file.ts'

/** The folder in which they lie, emptied of what a crash left there. */
export function emptyHeldBlocksFolder(dataDirectory: string): string {
  const folder = join(dataDirectory, 'imports')
  rmSync(folder, { recursive: true, force: true })
  return folder
}

export interface ImportHeldBlocks extends Required<HeldBlocks>, Disposable {}

/**
 * Holds blocks of one import that came before their turn: a few in memory, more of them in temporary files. Disposing of it
 * removes them.
 * @param name of the first file; they are made when they are needed.
 */
export function createHeldBlocks(folder: string, name: string): ImportHeldBlocks {
  const file = createBlockFile(join(folder, name))
  let byteLength = 0
  return {
    ...file,
    get byteLength() {
      return byteLength
    },
    set(cid, bytes) {
      byteLength += bytes.length
      file.set(cid, bytes)
    },
  }
}
