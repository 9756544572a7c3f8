import {
  formatCheckpointText,
  hashLeaf,
  type NoteSigner,
  signCheckpoint,
  type TreeAppender,
} from '@imago/tlog'
import { encodeLogEntry, type PlcLogEntry } from './log-entry.ts'

/** A hash that belongs into a tile. */
export interface TreeHash {
  /** Among tiles: 0 for a leaf. */
  readonly level: number
  readonly index: number
  readonly hash: Uint8Array
}

/** A checkpoint as it lies in the store. */
export interface StoredCheckpoint {
  readonly size: number
  /** Signed by the log's key. */
  readonly note: string
}

/** What a batch of operations adds to the transparency log. Written in the transaction that takes the operations. */
export interface TreeGrowth {
  readonly hashes: readonly TreeHash[]
  readonly checkpoint: StoredCheckpoint
}

/** Adds entries to a tree, and says what is to be stored of it. The appender is ahead of the store until that is done. */
export type GrowTree = (appender: TreeAppender, entries: readonly PlcLogEntry[]) => TreeGrowth

/** @param signer of the log's origin: signs each size that the log ever had at a commit. */
export const createGrowTree = (origin: string, signer: NoteSigner): GrowTree =>
  growing((size, root) => signCheckpoint({ origin, size, root }, [signer]))

/** For who signs nothing: a tree to compare with. */
export const growUnsigned: GrowTree = growing((size, root) =>
  formatCheckpointText({ origin: 'unsigned', size, root }),
)

function growing(noteOf: (size: number, root: Uint8Array) => string): GrowTree {
  return (appender, entries) => {
    const hashes: TreeHash[] = []
    for (const entry of entries)
      appender.append(hashLeaf(encodeLogEntry(entry)), (level, index, hash) =>
        hashes.push({ level, index, hash }),
      )
    const { size } = appender
    return { hashes, checkpoint: { size, note: noteOf(size, appender.root()) } }
  }
}
