export {
  createJsonClient,
  type JsonCallOptions,
  type JsonClient,
  type JsonClientOptions,
} from './lib/json-client.ts'
export type { JsonOf } from './lib/json-types.ts'
