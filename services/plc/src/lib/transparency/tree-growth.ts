import { type Checkpoint, hashLeaf, type NoteSigner, signCheckpoint, type TreeAppender } from '@imago/tlog'
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
export function createGrowTree(origin: string, signer: NoteSigner): GrowTree {
  return (appender, entries) => {
    const hashes: TreeHash[] = []
    for (const entry of entries)
      appender.append(hashLeaf(encodeLogEntry(entry)), (level, index, hash) =>
        hashes.push({ level, index, hash }),
      )
    const checkpoint: Checkpoint = { origin, size: appender.size, root: appender.root() }
    return { hashes, checkpoint: { size: appender.size, note: signCheckpoint(checkpoint, [signer]) } }
  }
}
