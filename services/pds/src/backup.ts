export { BackupError, type BackupErrorCode } from './backup/backup-error.ts'
export { type BackupSecret, DEFAULT_KDF_COST, type KdfCost } from './backup/backup-header.ts'
export {
  type BackupEntry,
  type BackupRepository,
  type BackupRepositoryPorts,
  openBackupRepository,
  openOrCreateBackupRepository,
} from './backup/backup-repository.ts'
export type { BlobObjects } from './backup/blob-source.ts'
export { type CheckReport, checkBackup } from './backup/check-backup.ts'
export { type Configuration, configurationOf } from './backup/configuration.ts'
export {
  type BackupProgress,
  type BackupReport,
  type CreateBackupOptions,
  createBackup,
} from './backup/create-backup.ts'
export { assertDataDirectory } from './backup/database-snapshot.ts'
export type { LeaseHolder } from './backup/lease.ts'
export type { Manifest } from './backup/manifest.ts'
export {
  findBackup,
  type RestoreOptions,
  type RestoreReport,
  restoreBackup,
} from './backup/restore-backup.ts'
export { type SweepReport, sweep } from './backup/sweep.ts'
export type { TestRestoreReport } from './backup/test-restore.ts'
export { type BlobLocation, type BlobStore, openBlobStore } from './blobs/blob-store.ts'
