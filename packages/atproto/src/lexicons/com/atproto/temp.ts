// Generated from schema documents. Do not edit: change the document, then generate anew.

export * as addReservedHandle from './temp/addReservedHandle.ts'
export * as checkHandleAvailability from './temp/checkHandleAvailability.ts'
export * as checkSignupQueue from './temp/checkSignupQueue.ts'
export * as dereferenceScope from './temp/dereferenceScope.ts'
export * as fetchLabels from './temp/fetchLabels.ts'
export * as requestPhoneVerification from './temp/requestPhoneVerification.ts'
export * as revokeAccountCredentials from './temp/revokeAccountCredentials.ts'
