import type { Keypair } from '@imago/crypto'
import type { Block, BlockSource, Cid } from '@imago/data'
import type { NewEntry } from '@imago/log'
import type { Did, Tid } from '@imago/syntax'

/** Why a repository is not served. An active one has no status. */
export type RepoStatus = 'deactivated' | 'takendown' | 'suspended'

/** Where a repository stands. All fields describe the same commit. */
export interface RepoHead {
  readonly did: Did
  readonly cid: Cid
  readonly rev: Tid
  /** Root of the tree. */
  readonly data: Cid
  readonly status: RepoStatus | undefined
}

/** What a writer needs besides the head: the key that signs, and the nodes of the current tree. */
export interface RepoState extends RepoHead {
  readonly keypair: Keypair
  readonly nodes: BlockSource
}

export interface NewHead {
  readonly cid: Cid
  readonly rev: Tid
  readonly data: Cid
  readonly commitBytes: Uint8Array
}

/** The first commit of a repository, and the key that signs it. */
export interface NewRepo {
  readonly did: Did
  /** K-256, 32 bytes. */
  readonly signingKey: Uint8Array
  readonly head: NewHead
  readonly nodes: Iterable<Block>
  readonly status: RepoStatus | undefined
}

export interface RecordPut {
  readonly path: string
  readonly cid: Cid
  readonly bytes: Uint8Array
  /** Whether a record lies at the path already. */
  readonly replaces: boolean
  /** Blobs that the record refers to: they must have been uploaded, and become permanent with this commit. */
  readonly blobs: readonly Cid[]
  /** What the record is about, where a repository should hold only one of its kind about each subject. */
  readonly subject?: string | undefined
}

export interface RecordDelete {
  readonly path: string
  readonly cid: null
}

export type RecordChange = RecordPut | RecordDelete

/** One commit: everything that it changes, and the events that announce it. */
export interface RepoChange {
  readonly did: Did
  /** The commit that this one follows. */
  readonly expectedHead: Cid
  readonly head: NewHead
  readonly addedNodes: Iterable<Block>
  readonly removedNodes: Iterable<Cid>
  readonly records: readonly RecordChange[]
  readonly events: readonly NewEntry[]
}

export type CommitOutcome =
  | { readonly ok: true }
  /** The repository's head is not `expectedHead`: nothing was written. Read it anew, and decide again. */
  | { readonly ok: false; readonly reason: 'HeadMoved' }
  /** The account is not active (or gone): nothing was written. */
  | { readonly ok: false; readonly reason: 'NotActive'; readonly status: RepoStatus | 'absent' }
  /** A record refers to a blob that this account has not uploaded: nothing was written. */
  | { readonly ok: false; readonly reason: 'BlobNotFound'; readonly blob: Cid }
  /** The store could not write this one: nothing was written. */
  | { readonly ok: false; readonly reason: 'Failed'; readonly error: unknown }

export interface StoredRecord {
  readonly path: string
  readonly cid: Cid
  readonly bytes: Uint8Array
}

/**
 * The repositories of a host: one signed head each, the nodes of its tree, and its records.
 *
 * Duties of an adapter: what a promise resolved with has been made durable, the events included, and the events are
 * published only then. Reads see committed state only. Operations on different repositories are independent of each
 * other, so that an adapter may spread them over several databases by DID.
 */
export interface RepoStore {
  /**
   * Commits a batch with one wait for the disk. The changes apply in order, so that one may follow another on the same
   * repository. Each stands alone: one that cannot apply leaves no trace, says why, and does not disturb the rest
   * (but a change that was to follow it finds that the head did not move). Retrying is for the caller.
   *
   * @returns one outcome for each change, in order.
   */
  commit(changes: readonly RepoChange[]): Promise<readonly CommitOutcome[]>

  head(did: Did): Promise<RepoHead | undefined>
  open(did: Did): Promise<RepoState | undefined>
  /** Heads in order of creation, after the position that `after` names; the position of each comes with it. */
  list(page: { after: number; limit: number }): Promise<readonly (RepoHead & { position: number })[]>

  /** Neither this nor {@link listRecords} tells of records that were taken down; exports hold them, as proofs need them. */
  getRecord(did: Did, path: string): Promise<StoredRecord | undefined>
  /** Records of one collection in order of their keys, ascending unless `descending`, after the key `cursor`. */
  listRecords(
    did: Did,
    page: { collection: string; limit: number; descending: boolean; cursor?: string | undefined },
  ): Promise<readonly StoredRecord[]>
  /** Collections that hold at least one record, sorted. */
  collections(did: Did): Promise<readonly string[]>
  /** Paths of the records in a collection that were put with this subject. */
  pathsAbout(did: Did, collection: string, subject: string): Promise<readonly string[]>
  /** The newest commit, nodes and records by CID; those that are not there are left out. */
  getBlocks(did: Did, cids: readonly Cid[]): Promise<readonly Block[]>
  /**
   * One moment of a repository, for reads that take a while or must agree with each other; `undefined` when there is
   * no such repository. Writers do not wait for it. To be closed soon: it keeps the space of what it sees.
   */
  snapshot(did: Did): Promise<RepoSnapshot | undefined>
}

/** A repository that stands still. */
export interface RepoSnapshot extends Disposable {
  readonly head: RepoHead
  /** The commit, nodes and records. */
  readonly blocks: BlockSource
  /**
   * The entries of a CAR file of the whole repository, in chunks: the commit, then each node before what hangs from it, in
   * key order.
   */
  export(): Iterable<Uint8Array>
  /** The commit, and the nodes and records that were added after the revision `since`. In no promised order. */
  exportSince(since: Tid): Iterable<Block>
}
