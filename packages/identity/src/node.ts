export { isPublicAddress } from './lib/address-policy-node.ts'
export { createTxtResolver, resolveTxt, type TxtResolverOptions } from './lib/resolve-txt-node.ts'
export { createSafeFetch, type LookUp, type SafeFetch, type SafeFetchOptions } from './lib/safe-fetch-node.ts'
