export {
  DataDirectoryInUseError,
  type LockHolder,
  lockDataDirectory,
} from './database/data-directory-lock.ts'
export type { BlobFile, BlobInventory } from './recovery/blob-inventory.ts'
export {
  type Finding,
  type FindingCode,
  type Progress,
  RecoveryError,
  type Repair,
} from './recovery/finding.ts'
export { openBlobInventory } from './recovery/open-blob-inventory.ts'
export { type RebuildOptions, rebuildDataDirectory } from './recovery/rebuild.ts'
export { type VerifyOptions, verifyDataDirectory } from './recovery/verify.ts'
