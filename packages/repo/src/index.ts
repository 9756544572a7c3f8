export {
  type Commit,
  parseCommit,
  type SignedCommit,
  signCommit,
  verifyCommitSignature,
} from './lib/commit.ts'
export { diffTrees } from './lib/diff.ts'
export { exportRepo } from './lib/export-repo.ts'
export type { HeldBlocks } from './lib/held-blocks.ts'
export { invertOps } from './lib/invert.ts'
export { isRepoPath, MAX_KEY_LENGTH } from './lib/key.ts'
export { keyHeight } from './lib/key-height.ts'
export { Mst } from './lib/mst.ts'
export { MAX_NODE_ENTRIES, MAX_TREE_HEIGHT } from './lib/node-codec.ts'
export { nodeLinks } from './lib/node-links.ts'
export { coveringProof } from './lib/proof.ts'
export { collectionRange, exportRange, type PathRange, verifyRangeExport } from './lib/range-export.ts'
export { recordProof, type VerifiedRecord, verifyRecordProof } from './lib/record-proof.ts'
export { MissingBlockError, RepoError, type RepoErrorCode } from './lib/repo-error.ts'
export type { RepoOp } from './lib/repo-op.ts'
export { type VerifiedRepo, verifyRepo } from './lib/verify-repo.ts'
export {
  DEFAULT_MAX_HELD_BYTES,
  type RepoStream,
  type VerifiedRecordBlock,
  type VerifyRepoStreamOptions,
  verifyRepoStream,
} from './lib/verify-repo-stream.ts'
export { verifyTree } from './lib/verify-tree.ts'
export { type CommitResult, type RepoHead, type RepoWrite, writeCommit } from './lib/write-commit.ts'
