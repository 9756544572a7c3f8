import { BlockMap, type Cid } from '@imago/data'

/** What a block in memory costs beside its bytes. */
export const BLOCK_COST_BYTES = 256

/** Keeps blocks that came before their turn, in memory or in a file. All are put in before any is looked up. */
export interface HeldBlocks {
  /** Bytes of blocks that were put in, and what keeping them takes beside. */
  readonly byteLength: number
  /** Takes a copy: the bytes are overwritten. A block may come more than once. */
  set(cid: Cid, bytes: Uint8Array): unknown
  /** Told that all of them are in. */
  seal?(): Promise<void>
  get(cid: Cid): Uint8Array | undefined
  /** Told that nobody looks any more at what `get` gave: its memory may be used again. */
  reuse?(): void
}

/** For few of them. */
export function heldInMemory(): HeldBlocks {
  const blocks = new BlockMap()
  return {
    get byteLength() {
      // Or many small ones would take many times as much as may be kept.
      return blocks.byteLength + blocks.size * BLOCK_COST_BYTES
    },
    set: (cid, bytes) => blocks.set(cid, bytes.slice()),
    get: (cid) => blocks.get(cid),
  }
}
