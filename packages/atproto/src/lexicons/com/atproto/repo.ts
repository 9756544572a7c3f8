// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as applyWrites from './repo/applyWrites.ts'
export * as createRecord from './repo/createRecord.ts'
export * as defs from './repo/defs.ts'
export * as deleteRecord from './repo/deleteRecord.ts'
export * as describeRepo from './repo/describeRepo.ts'
export * as getRecord from './repo/getRecord.ts'
export * as importRepo from './repo/importRepo.ts'
export * as listMissingBlobs from './repo/listMissingBlobs.ts'
export * as listRecords from './repo/listRecords.ts'
export * as putRecord from './repo/putRecord.ts'
export * as strongRef from './repo/strongRef.ts'
export * as uploadBlob from './repo/uploadBlob.ts'
