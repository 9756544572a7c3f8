export { CHECKS, type CheckName, type CheckNumber, type Finding } from './checks.ts'
export * from './events.ts'
export {
  type FirehoseEvent,
  followFirehose,
  type VerifyStreamOptions,
  verifyStream,
} from './firehose.ts'
export { type FrameAcceptance, type FrameVerdict, judgeFrame, type MalformedFrame } from './judge-frame.ts'
export { createRateLimit } from './rate-limit.ts'
export { spliceSeq } from './splice-seq.ts'
export { SyncError, type SyncErrorCode } from './sync-error.ts'
export {
  type CommitAcceptance,
  type CommitContext,
  type CommitVerdict,
  type EventContext,
  type KnownAccount,
  MAX_COMMIT_BLOCKS_BYTES,
  MAX_COMMIT_OPS,
  MAX_RECORD_BYTES,
  MAX_REV_AHEAD_MS,
  type Refusal,
  verifyCommit,
} from './verify-commit.ts'
export { MAX_SYNC_BLOCKS_BYTES, type SyncAcceptance, type SyncVerdict, verifySync } from './verify-sync.ts'
