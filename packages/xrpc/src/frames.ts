export {
  decodeFrame,
  encodeErrorFrame,
  encodeFrame,
  type Frame,
  frameHeader,
  isErrorFrame,
  MAX_FRAME_BYTES,
} from './lib/frame.ts'
export { FrameError } from './lib/frame-error.ts'
export {
  DEFAULT_STREAM_PROTOCOL,
  frameError,
  frameMessage,
  readFrame,
  type StreamFrame,
  type StreamProtocol,
  type TypedMessage,
} from './lib/stream-protocol.ts'
export { webSocketMessage } from './lib/web-socket-message.ts'
