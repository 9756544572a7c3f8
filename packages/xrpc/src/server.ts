export {
  type HandlerOutput,
  JsonText,
  type Method,
  type MethodContext,
  type MethodHandler,
  type MethodOptions,
  method,
  type ServedSchema,
  type StreamContext,
  type StreamHandler,
  type StreamOptions,
  type Subscription,
  subscription,
} from './lib/method.ts'
export { errorReply, Reply } from './lib/reply.ts'
export { methodName } from './lib/request-url.ts'
export type { HttpSchema, InputOf, MessageOf, OutputOf, ParamsOf, StreamSchema } from './lib/schema-types.ts'
export type { Upgrade } from './lib/stream-upgrade.ts'
export {
  type CallSite,
  createXrpcServer,
  type XrpcServer,
  type XrpcServerOptions,
} from './lib/xrpc-server.ts'
