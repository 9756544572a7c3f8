export { freePieces } from './lib/free-pieces.ts'
export { joinPieces } from './lib/join-pieces.ts'
export { assertKey, assertKeyPrefix, isKey } from './lib/object-key.ts'
export type {
  ByteRange,
  ListedObject,
  ObjectBody,
  ObjectStore,
  StagedObject,
  StagingStore,
  StoredObject,
} from './lib/object-store.ts'
export { ObjectStoreError, type ObjectStoreErrorCode } from './lib/object-store-error.ts'
