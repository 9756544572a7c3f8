import type { Block, Cid } from '@imago/data'
import type { NewEntry } from '@imago/log'
import type { Did, Tid } from '@imago/syntax'
import type { NewHead, RepoStatus } from '../repos/repo-store.ts'

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

/** How much of a repository lies here: the first nodes and the first records of its tree, in the order of the tree. */
export interface Staged {
  readonly nodes: number
  readonly records: number
  /** Of both. */
  readonly bytes: number
}

/** What an import is to bring about. */
export interface NewImport {
  readonly did: Did
  /** Head of the repository that it is to replace. */
  readonly base: Cid
  /** CID of the commit in the file, which names all that follows it. */
  readonly fileHead: Cid
  /** What is new in the repository is from this revision. What it held already keeps the one it has. */
  readonly rev: Tid
  /** Milliseconds since the Unix epoch. */
  readonly at: number
}

/**
 * Where repositories from elsewhere lie until they are whole. Nobody sees any of it before {@link Staging.finish}. What
 * is left of an attempt that broke off, be it by a crash, waits for the same repository to be sent again: of each account
 * the newest, as long as {@link ImportStore.sweep} lets it be, and only while the account's own repository stays as it is.
 */
export interface ImportStore {
  /**
   * Begins one, or goes on with the same one where it broke off. `undefined` when the account has no repository. There is
   * one at a time for an account.
   */
  begin(plan: NewImport): Promise<Staging | undefined>
  /**
   * Removes a part of what is of no use any more: what imports have replaced, and what was left by those that cannot go
   * on, or whose last attempt began before `begunBefore`, in milliseconds. Imports under way are let be.
   * @returns whether there may be more: call again after others had their turn.
   */
  sweep(begunBefore: number): Promise<boolean>
}

/** Disposing of it keeps what it holds for another attempt. */
export interface Staging extends Disposable {
  /** What was here when it began: is not put again. */
  readonly present: Staged
  /** Adds what comes next in the tree, as few blocks at a time as readers may wait for. */
  put(nodes: readonly Block[], records: readonly StagedRecord[]): Promise<void>
  /**
   * Puts it in the place of the repository, with the events that announce it, which depend on how the account stands at
   * that moment. Blobs that no record refers to any more
   * become temporary, and those that one refers to permanent.
   * @returns `false` when the repository is not where `base` said, or gone: nothing happened.
   */
  finish(change: {
    head: NewHead
    at: number
    eventsOf: (status: RepoStatus | undefined) => readonly NewEntry[]
  }): Promise<boolean>
  /** Says that no attempt is to go on with it. */
  discard(): void
}
