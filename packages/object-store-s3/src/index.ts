export { createS3Store, type S3Store, type S3StoreOptions } from './lib/s3-store.ts'
