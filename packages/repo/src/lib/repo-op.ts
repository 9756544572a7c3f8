import type { Cid } from '@imago/data'

/**
 * What one commit did to one record, with enough to undo it: `cid` is the record's new value (`null` on a deletion),
 * `prev` the one it replaced (`null` on a creation).
 * @see https://atproto.com/specs/sync#commit-event
 */
export interface RepoOp {
  readonly action: 'create' | 'update' | 'delete'
  /** `collection/rkey` */
  readonly path: string
  readonly cid: Cid | null
  readonly prev: Cid | null
}
