export * from './at-identifier.ts'
export * from './at-uri.ts'
export * from './cid-string.ts'
export * from './datetime.ts'
export { type Did, isDid, parseDid, tryParseDid } from './did.ts'
export {
  DISALLOWED_TLDS,
  type Handle,
  hasDisallowedTld,
  INVALID_HANDLE,
  isHandle,
  normalizeHandle,
  parseHandle,
  tryParseHandle,
} from './handle.ts'
export * from './invalid-identifier-error.ts'
export * from './language.ts'
export { isNsid, type Nsid, nsidAuthority, nsidName, parseNsid, tryParseNsid } from './nsid.ts'
export { isRecordKey, parseRecordKey, type RecordKey, tryParseRecordKey } from './record-key.ts'
export * from './tid.ts'
export * from './uri.ts'
