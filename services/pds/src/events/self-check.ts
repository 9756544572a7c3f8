import type { PublicKey } from '@imago/crypto'
import type { RepoHead } from '@imago/repo'
import { parseCommitEvent, verifyCommit } from '@imago/sync'
import { tidMicros } from '@imago/syntax'
import type { StreamEvent } from './events.ts'

/**
 * What a strict stranger would have against a #commit of ours; `undefined` when nothing. The checks are the ones that
 * relays make, on the very bytes that would go out.
 * @param before where the repository stood; `undefined` before its first commit.
 */
export function faultOfCommit(
  event: StreamEvent,
  before: RepoHead | undefined,
  signingKey: PublicKey,
  nowMs: number,
): string | undefined {
  // The number is given later, and no check depends on it.
  const verdict = verifyCommit(parseCommitEvent({ ...event.body, seq: 1 }), {
    account: before && { status: 'active', head: before },
    signingKey,
    // A clock that was set back is no fault of the commit: revisions go on from the one before.
    nowMs: before === undefined ? nowMs : Math.max(nowMs, tidMicros(before.rev) / 1000),
  })
  if (!verdict.accepted) return `${verdict.name}: ${verdict.reason}`
  return verdict.findings[0] && `${verdict.findings[0].name}: ${verdict.findings[0].reason}`
}
