import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BlockMap } from '@imago/data'
import type { HeldBlocks } from '@imago/repo'
import { type BlockFile, createBlockFile } from './block-file.ts'

/** Kept in memory before anything goes to a file: some thousands of records. Much that lives for long makes V8 take more. */
const MAX_MEMORY_BYTES = 2 ** 20
/** What a block takes of memory besides its bytes. */
const BLOCK_OVERHEAD_BYTES = 200

/** The folder in which they lie, emptied of what a crash left there. */
export function emptyHeldBlocksFolder(dataDirectory: string): string {
  const folder = join(dataDirectory, 'imports')
  rmSync(folder, { recursive: true, force: true })
  return folder
}

export interface ImportHeldBlocks extends HeldBlocks, Disposable {
  /** Whether they are in a file: then what `get` gives is overwritten after `reuse`. */
  readonly isInFile: boolean
}

/**
 * Holds blocks of one import that came before their turn: some in memory, and all of them in a temporary file once they
 * are more. Disposing of it removes them.
 * @param name of the file, which is made when it is needed.
 */
export function createHeldBlocks(folder: string, name: string): ImportHeldBlocks {
  let memory: BlockMap | undefined = new BlockMap()
  let file: BlockFile | undefined
  let byteLength = 0
  return {
    get byteLength() {
      return byteLength
    },
    get isInFile() {
      return memory === undefined
    },
    set(cid, bytes) {
      byteLength += bytes.length
      if (memory === undefined) {
        file!.set(cid, bytes)
        return
      }
      memory.set(cid, bytes)
      if (memory.byteLength + memory.size * BLOCK_OVERHEAD_BYTES <= MAX_MEMORY_BYTES) return
      mkdirSync(folder, { recursive: true })
      file = createBlockFile(join(folder, name))
      for (const block of memory) file.set(block.cid, block.bytes)
      memory = undefined
    },
    get: (cid) => (memory ?? file!).get(cid),
    reuse: () => file?.reuse(),
    [Symbol.dispose]() {
      memory = new BlockMap()
      file?.[Symbol.dispose]()
      file = undefined
    },
  }
}
