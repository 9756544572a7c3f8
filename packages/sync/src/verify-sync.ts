import type { Cid } from '@imago/data'
import type { Commit, RepoHead } from '@imago/repo'
import { finding } from './checks.ts'
import type { SyncEvent } from './events.ts'
import {
  checkCommitObject,
  checkRev,
  checkSender,
  checkSignature,
  checkSize,
  type EventContext,
  openSlice,
  type Refusal,
  Refused,
  refuse,
} from './verify-commit.ts'

/** Bytes of the CAR file of a `#sync`, at most. */
export const MAX_SYNC_BLOCKS_BYTES = 10_000

/** The event holds. */
export interface SyncAcceptance {
  readonly accepted: true
  /** `unchanged` when it says what is known: nothing is to be fetched. `moved` when the repository stands elsewhere now. */
  readonly outcome: 'unchanged' | 'moved'
  readonly commit: Commit
  readonly cid: Cid
  /** What is known of the repository from now on. */
  readonly state: RepoHead
}

export type SyncVerdict = SyncAcceptance | Refusal

/**
 * Judges a `#sync`: of the sixteen checks those about the account, the commit and its signature, under their numbers.
 * An event that is older than what is known, or says something else about the same rev, is stale: it must not roll the
 * repository back.
 * @see https://atproto.com/specs/sync#sync-event
 */
export function verifySync(event: SyncEvent, context: EventContext): SyncVerdict {
  try {
    return judge(event, context)
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

function judge(event: SyncEvent, context: EventContext): SyncAcceptance {
  const { did, rev } = event
  const known = context.account?.head
  const stale = (reason: string) => new Refused({ ...finding(6, reason), accepted: false, outcome: 'stale' })
  checkSender(did, context)
  checkSize(event.blocks, MAX_SYNC_BLOCKS_BYTES)
  checkRev(rev, context.nowMs)
  if (known !== undefined && rev < known.rev) throw stale(`rev ${rev} comes before ${known.rev}`)
  const { root: cid, blocks } = openSlice(event.blocks)
  if (blocks.size !== 1) refuse(7, `${blocks.size} blocks: expected the commit alone`)
  const commit = checkCommitObject(blocks.get(cid)!, did, rev)
  const same = known?.data.equals(commit.data) ?? false
  if (known !== undefined && rev === known.rev && !same)
    throw stale(`rev ${rev} is known with root ${known.data}, and comes with ${commit.data}`)
  checkSignature(commit, context)
  return {
    accepted: true,
    outcome: same && rev === known?.rev ? 'unchanged' : 'moved',
    commit,
    cid,
    state: { data: commit.data, rev: commit.rev },
  }
}
