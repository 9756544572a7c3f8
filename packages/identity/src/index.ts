export { type AtprotoData, atprotoData } from './lib/atproto-data.ts'
export {
  type DidDocument,
  type DocumentService,
  parseDidDocument,
  type VerificationMethod,
} from './lib/did-document.ts'
export {
  createDidResolver,
  type DidResolver,
  type DidResolverOptions,
  type ResolveOptions,
} from './lib/did-resolver.ts'
export { didWebUrl } from './lib/did-web.ts'
export {
  compareDocuments,
  DEFAULT_HISTORY_BOUNDS,
  type DidWebAlarm,
  type DidWebHistory,
  type DidWebHistoryBounds,
  type DidWebHistoryOptions,
  documentText,
  type SeenDocument,
  withDidWebHistory,
} from './lib/did-web-history.ts'
export { createMemoryHistory } from './lib/did-web-history-memory.ts'
export {
  createDirectory,
  type DidIdentity,
  type Directory,
  type DirectoryOptions,
  type Identity,
  type LookUpOptions,
} from './lib/directory.ts'
export type { ResolveTxt } from './lib/dns-handle-method.ts'
export type { HandleMethod } from './lib/handle-method.ts'
export {
  createHandleResolver,
  type HandleResolver,
  type HandleResolverOptions,
} from './lib/handle-resolver.ts'
export { IdentityError, type IdentityErrorCode } from './lib/identity-error.ts'
export { createXrpcHandleMethod, type XrpcHandleMethodOptions } from './lib/xrpc-handle-method.ts'
