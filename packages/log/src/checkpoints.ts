export * from './lib/wal-checkpoints.ts'
