import type { Cid } from '@imago/data'
import type { RepoHead } from '@imago/repo'
import { decodeFrame, FrameError } from '@imago/xrpc/frames'
import type { Finding } from './checks.ts'
import { parseEvent, type StreamEvent } from './events.ts'
import { SyncError } from './sync-error.ts'
import { type CommitContext, type Refusal, verifyCommit } from './verify-commit.ts'
import { verifySync } from './verify-sync.ts'

/** The event holds: what a relay has to remember of it, without the blocks. */
export interface FrameAcceptance {
  readonly accepted: true
  /** Of a `#commit` as `CommitAcceptance` tells it, of a `#sync` as `SyncAcceptance` does. */
  readonly outcome: 'accepted' | 'discontinuous' | 'unchanged' | 'moved'
  readonly findings: readonly Finding[]
  /** CID of the commit. */
  readonly cid: Cid
  /** What is known of the repository from now on. */
  readonly state: RepoHead
  /** Whether the repository began with this commit. */
  readonly genesis: boolean
}

/** The frame holds no event that could be judged. */
export interface MalformedFrame {
  readonly accepted: false
  readonly outcome: 'malformed'
  readonly reason: string
}

export type FrameVerdict = FrameAcceptance | Refusal | MalformedFrame

/**
 * From the bytes of a frame to what is to be made of its `#commit` or `#sync`. Pure, and throws nothing: for callers who
 * have looked at the frame already for whom it is about, and want no more than the verdict.
 */
export function judgeFrame(frame: Uint8Array, context: CommitContext): FrameVerdict {
  let message: StreamEvent | undefined
  try {
    const decoded = decodeFrame(frame)
    message = decoded.kind === 'message' ? parseEvent(decoded.type, decoded.body) : undefined
  } catch (error) {
    if (!(error instanceof FrameError || error instanceof SyncError)) throw error
    return malformed(error.message)
  }
  if (message?.type === '#commit') {
    const verdict = verifyCommit(message.event, context)
    if (!verdict.accepted) return verdict
    const { accepted, outcome, findings, cid, state, genesis } = verdict
    return { accepted, outcome, findings, cid, state, genesis }
  }
  if (message?.type === '#sync') {
    const verdict = verifySync(message.event, context)
    if (!verdict.accepted) return verdict
    const { accepted, outcome, cid, state } = verdict
    return { accepted, outcome, findings: [], cid, state, genesis: false }
  }
  return malformed('neither a #commit nor a #sync')
}

const malformed = (reason: string): MalformedFrame => ({ accepted: false, outcome: 'malformed', reason })
