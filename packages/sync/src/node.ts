export type { FrameToJudge } from './verdict-batch.ts'
export { openVerdictPool, type VerdictPool, type VerdictPoolOptions } from './verdict-pool-node.ts'
