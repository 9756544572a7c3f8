export { pages } from './lib/pages.ts'
export { type JitteredRetryOptions, jitteredRetry, type Retry, type RetryFacts } from './lib/retry.ts'
export type { ErrorNameOf, GivenParamsOf, HttpSchema, InputOf, OutputOf } from './lib/schema-types.ts'
export {
  type CallArguments,
  type CallInput,
  type CallOptions,
  type CallOutput,
  type CallResult,
  type Client,
  type ClientDefaults,
  type ClientOptions,
  createClient,
  type RawRequest,
} from './lib/xrpc-client.ts'
