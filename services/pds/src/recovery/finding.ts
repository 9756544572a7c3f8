import type { Did } from '@imago/syntax'

/** What can be wrong with a data directory. `docs/operating/recovery.md` says what each means to an operator. */
export type FindingCode =
  /** SQLite's own check of the file failed: pages or indexes are damaged. */
  | 'database-corrupt'
  /** Rows of a table belong to a repository that does not exist. */
  | 'rows-without-repo'
  | 'account-without-repo'
  | 'repo-without-account'
  /** Account and repository do not agree on whether it is served. */
  | 'status-differs'
  /** The signing key is no key. */
  | 'key-invalid'
  /** The commit's bytes are no commit, are not what the head says, or are about something else than their row. */
  | 'commit-invalid'
  /** The commit is not signed by the repository's key. */
  | 'commit-signature'
  | 'node-missing'
  /** A node that is not what its CID says, or has not the shape of a node that may stand there. */
  | 'node-invalid'
  /** Nodes that no tree refers to. */
  | 'node-orphan'
  /** A record is in the tree, and not in the table; or the table has another one there. */
  | 'record-missing'
  | 'record-differs'
  /** A record is in the table, and not in the tree. */
  | 'record-unlisted'
  /** A record's bytes are not what their CID says, or no record. */
  | 'record-invalid'
  | 'blob-reference-missing'
  /** A reference that no record makes. */
  | 'blob-reference-stray'
  | 'backlink-missing'
  | 'backlink-stray'
  /** A record refers to a blob that was never uploaded here, or was lost. */
  | 'blob-absent'
  /** A blob counts as temporary although a record refers to it, or the reverse. */
  | 'blob-state'
  /** What an account is noted to have stored is not what it has. */
  | 'blob-usage-differs'
  | 'blob-file-missing'
  /** A blob's file has another size or other bytes than its row says. */
  | 'blob-file-differs'
  | 'blob-file-stray'
  /** Files without a row that a lost server may have taken in after the backup that was restored. */
  | 'blob-file-kept'
  /** An event that cannot be read, or is about something else than its row says. */
  | 'event-invalid'
  /** Events of one account whose revisions do not ascend. */
  | 'event-order'
  /** The stream's head is below a number that was given. */
  | 'sequence-behind'
  /** The newest revision was never announced. */
  | 'event-missing'
  /** The stream has announced a revision that the repository does not have (any more). */
  | 'head-behind-events'
  /** The stream says another state of an account than the account itself. */
  | 'account-event-differs'
  | 'event-without-account'
  /** Sessions, app passwords, codes or preferences of somebody who has no account. */
  | 'rows-without-account'

/** Something that is wrong. */
export interface Finding {
  readonly type: 'finding'
  readonly code: FindingCode
  /** A warning is no damage: there is something to do for a person, and the data agrees with itself. */
  readonly level: 'error' | 'warning'
  readonly did?: Did
  /** Of a record, or of a file. */
  readonly path?: string
  readonly message: string
  /** What to do about it. */
  readonly fix: string
}

/** How far a tool has come. */
export interface Progress {
  readonly type: 'progress'
  readonly part: 'database' | 'accounts'
  readonly done: number
  readonly total: number
}

/** Something that was mended, or would be in a dry run. */
export interface Repair {
  readonly type: 'repair'
  readonly did?: Did
  readonly path?: string
  readonly message: string
}

/** A tool cannot begin, or cannot go on. The message says what to do. */
export class RecoveryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RecoveryError'
  }
}
