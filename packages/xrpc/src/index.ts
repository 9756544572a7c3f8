export { FrameError } from './lib/frame-error.ts'
export {
  authRequired,
  errorNameOf,
  forbidden,
  invalidRequest,
  isErrorName,
  methodNotImplemented,
  payloadTooLarge,
  rateLimited,
  upstreamFailure,
  upstreamTimeout,
  XrpcError,
  type XrpcErrorOptions,
} from './lib/xrpc-error.ts'
