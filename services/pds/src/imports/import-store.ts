import type { Block, Cid } from '@imago/data'
import type { NewEntry } from '@imago/log'
import type { Did, Tid } from '@imago/syntax'
import type { NewHead } from '../repos/repo-store.ts'

/** A record with what it refers to. */
export interface StagedRecord {
  readonly path: string
  readonly cid: Cid
  readonly bytes: Uint8Array
  /** Blobs that it refers to, uploaded or not. */
  readonly blobs: readonly Cid[]
  /** See `RecordPut.subject` of the repository store. */
  readonly subject: string | undefined
}

/**
 * Where repositories from elsewhere lie until they are whole. Nobody sees any of it before {@link Staging.finish}, and
 * nothing of it is left after anything else, a crash included.
 */
export interface ImportStore {
  /** Begins one in the place of the repository that an account has; `undefined` when there is none. */
  begin(did: Did): Promise<Staging | undefined>
  /**
   * Removes a part of what imports left behind that broke off, and of what others replaced. Imports under way are let be.
   * @returns whether there may be more: call again after others had their turn.
   */
  sweep(): Promise<boolean>
}

export interface Staging extends Disposable {
  /**
   * Adds blocks of the tree, as few at a time as readers may wait for. Records come in the order of their paths.
   * @param rev what is new in the repository is from this revision. What it held already keeps the one it has.
   */
  put(rev: Tid, nodes: readonly Block[], records: readonly StagedRecord[]): Promise<void>
  /**
   * Puts it in the place of the repository, with the events that announce it. Blobs that no record refers to any more
   * become temporary, and those that one refers to permanent.
   * @returns `false` when the repository is not where `expectedHead` says, or gone: nothing happened.
   */
  finish(change: {
    expectedHead: Cid
    head: NewHead
    /** Milliseconds since the Unix epoch. */
    at: number
    events: readonly NewEntry[]
  }): Promise<boolean>
}
