export {
  createGenesis,
  signOperation,
  tombstoneOperation,
  updateOperation,
} from './lib/plc/author-operation.ts'
export { diffData, type PlcChange } from './lib/plc/diff-data.ts'
export { type ExplainedOperation, explainLog } from './lib/plc/explain-log.ts'
export { INGEST_LIMITS, type IngestOptions } from './lib/plc/ingest-policy.ts'
export {
  type LegacyCreate,
  normalizeOperation,
  type Operation,
  type PlcData,
  type PlcOperation,
  type PlcService,
  type PlcTombstone,
  type Unsigned,
} from './lib/plc/operation.ts'
export {
  type DidPlc,
  didOfGenesis,
  isDidPlc,
  operationBytes,
  operationCid,
} from './lib/plc/operation-bytes.ts'
export { type Policy, parseOperation, REPLAY_OPERATION_BYTES } from './lib/plc/parse-operation.ts'
export { documentOf } from './lib/plc/plc-document.ts'
export { PlcError, type PlcErrorCode } from './lib/plc/plc-error.ts'
export {
  acceptOperation,
  applyVerdict,
  createLog,
  judgeOperation,
  type LogEntry,
  type PlcLog,
  type PlcState,
  RECOVERY_WINDOW_MS,
  stateOf,
  type TimedOperation,
  type Verdict,
  validateLog,
} from './lib/plc/plc-log.ts'
export { type SiftedLog, siftLog, type UnjudgedOperation } from './lib/plc/sift-log.ts'
export {
  type FindSigner,
  findSigner,
  findSignerOfBytes,
  type SignedBytes,
  signedBytesOf,
} from './lib/plc/signer.ts'
