// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as defs from './identity/defs.ts'
export * as getRecommendedDidCredentials from './identity/getRecommendedDidCredentials.ts'
export * as refreshIdentity from './identity/refreshIdentity.ts'
export * as requestPlcOperationSignature from './identity/requestPlcOperationSignature.ts'
export * as resolveDid from './identity/resolveDid.ts'
export * as resolveHandle from './identity/resolveHandle.ts'
export * as resolveIdentity from './identity/resolveIdentity.ts'
export * as signPlcOperation from './identity/signPlcOperation.ts'
export * as submitPlcOperation from './identity/submitPlcOperation.ts'
export * as updateHandle from './identity/updateHandle.ts'
