import type { Cid } from '@imago/data'

/** What was wrong, for programs. */
export type RepoErrorCode =
  /** A block that an operation needs is not in its source. Nothing is known to be wrong: fetch it, and try again. */
  | 'MissingBlock'
  /** A block is not what its CID says. */
  | 'InvalidBlock'
  /** Bytes that are not an MST node in canonical form, or nodes that do not form a tree. */
  | 'InvalidMst'
  /** Bytes that are not a commit of version 3, or a commit about another account. */
  | 'InvalidCommit'
  /** A signature that the key did not make. */
  | 'InvalidSignature'
  /** Text that cannot name a record in a repository. */
  | 'InvalidKey'
  /** A record that is to be created is there already. */
  | 'KeyExists'
  /** A record that is to be changed or deleted is not there. */
  | 'KeyAbsent'
  /** Operations that do not lead to the tree they claim to lead to. */
  | 'InversionMismatch'
  /** A new commit whose rev is not greater than the one before it. */
  | 'StaleRev'
  /** A tree wider or taller than any that comes about without keys being mined. */
  | 'LimitExceeded'

/** A repository, a part of one, or what is asked of it is not what it has to be. The message says what, and where. */
export class RepoError extends Error {
  override readonly name: string = 'RepoError'
  readonly code: RepoErrorCode

  constructor(code: RepoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * An operation needs a block that its source does not have. Distinct from corruption: trees with absent blocks are
 * legal, and a store that is asynchronous fetches {@link MissingBlockError.cid} and runs the pure function again.
 */
export class MissingBlockError extends RepoError {
  override readonly name = 'MissingBlockError'
  declare readonly code: 'MissingBlock'
  readonly cid: Cid

  /** @param what the part that the block plays, such as `MST node`. */
  constructor(cid: Cid, what: string) {
    super('MissingBlock', `${what} ${cid} is not among the blocks given`)
    this.cid = cid
  }
}
