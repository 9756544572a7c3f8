import type { Cid } from '@imago/data'
import type { Did } from '@imago/syntax'

/** A file of the blob store. */
export interface BlobFile {
  /** Where it lies, from the root of the store: what {@link BlobInventory.take} takes, and what a person looks for. */
  readonly name: string
  /** The blob that it should hold; `undefined` when its name is no CID of a blob. */
  readonly cid: Cid | undefined
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the Unix epoch; `undefined` where the store does not tell. */
  readonly modifiedAt: number | undefined
}

/** A blob store as tools see it: everything that lies there, whether a row knows of it or not. */
export interface BlobInventory {
  /** Accounts that have a place there, with or without files. */
  accounts(): AsyncIterable<Did>
  /** Files of one account. None when it has no place there. */
  files(did: Did): AsyncIterable<BlobFile>
  /** Files that are no account's: uploads under way, those that a crash left, and whatever else lies there. */
  others(): AsyncIterable<BlobFile>
  find(did: Did, cid: Cid): Promise<BlobFile | undefined>
  read(file: BlobFile): AsyncIterable<Uint8Array>
  /** Moves a file out of the store, to `path` on disk; its bytes are safe there before they go here. */
  take(file: BlobFile, path: string): Promise<void>
}
