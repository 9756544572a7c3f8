import { type DataMap, decode, encode, parse, stringify, type Value } from '@imago/data'
import {
  decodeFrame,
  encodeErrorFrame,
  encodeFrame,
  type Frame,
  isErrorFrame,
  MAX_FRAME_BYTES,
} from './frame.ts'
import { FrameError } from './frame-error.ts'
import { webSocketMessage } from './web-socket-message.ts'
import { isErrorName, XrpcError } from './xrpc-error.ts'

/**
 * How the frames of a stream are written, as negotiated in `Sec-WebSocket-Protocol`: `xrpc.v0.cbor` is header and body
 * as two DRISL maps; the `v1` forms are one self-describing object, in JSON text or in DRISL.
 * @see https://github.com/bluesky-social/proposals/tree/main/0015-json-event-stream
 */
export type StreamProtocol = 'xrpc.v0.cbor' | 'xrpc.v1.json' | 'xrpc.v1.cbor'

/** What a stream speaks where neither the client nor the schema says anything. */
export const DEFAULT_STREAM_PROTOCOL: StreamProtocol = 'xrpc.v0.cbor'

/** A message as its schema describes it, with the whole reference in `$type`: `com.example.watch#tick`. */
export type TypedMessage = { readonly $type: string }

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The opcode of the WebSocket messages that carry a protocol's frames. */
function opcodeOf(protocol: StreamProtocol): 'binary' | 'text' {
  return protocol === 'xrpc.v1.json' ? 'text' : 'binary'
}

/**
 * A typed message as WebSocket-framed bytes, ready for the socket of any client that speaks `protocol`.
 * @param nsid the subscription: `xrpc.v0.cbor` shortens the types that its document defines
 */
export function frameMessage(protocol: StreamProtocol, nsid: string, message: TypedMessage): Uint8Array {
  return webSocketMessage(messagePayload(protocol, nsid, message), opcodeOf(protocol))
}

/** An error frame as WebSocket-framed bytes. It is the last thing that a stream sends. */
export function frameError(protocol: StreamProtocol, error: string, message?: string): Uint8Array {
  return webSocketMessage(errorPayload(protocol, error, message), opcodeOf(protocol))
}

function messagePayload(protocol: StreamProtocol, nsid: string, message: TypedMessage): Uint8Array {
  if (protocol === 'xrpc.v0.cbor') {
    const { $type, ...body } = message
    return encodeFrame($type.startsWith(`${nsid}#`) ? $type.slice(nsid.length) : $type, body as DataMap)
  }
  return encodeEnvelope(protocol, { $type: 'message', payload: message as unknown as DataMap })
}

function errorPayload(protocol: StreamProtocol, error: string, message: string | undefined): Uint8Array {
  if (protocol === 'xrpc.v0.cbor') return encodeErrorFrame(error, message)
  return encodeEnvelope(
    protocol,
    message === undefined ? { $type: 'error', error } : { $type: 'error', error, message },
  )
}

function encodeEnvelope(protocol: StreamProtocol, envelope: DataMap): Uint8Array {
  return protocol === 'xrpc.v1.json' ? encoder.encode(stringify(envelope)) : encode(envelope)
}

/** A frame of any protocol, read: the message with the whole reference in `$type`, the error, or neither. */
export type StreamFrame =
  | { readonly kind: 'message'; readonly message: TypedMessage & DataMap }
  | { readonly kind: 'error'; readonly error: string; readonly message: string | undefined }
  | { readonly kind: 'unknown' }

/**
 * Reads the payload of one WebSocket message.
 * @param nsid the subscription, to complete the short types of `xrpc.v0.cbor`
 * @throws {FrameError} when it is too large, or not a frame of this protocol.
 */
export function readFrame(protocol: StreamProtocol, nsid: string, payload: Uint8Array): StreamFrame {
  if (protocol !== 'xrpc.v0.cbor') return envelopeOf(decodeEnvelope(protocol, payload))
  const frame: Frame = decodeFrame(payload)
  if (frame.kind !== 'message') return frame
  const $type = frame.type.startsWith('#') ? nsid + frame.type : frame.type
  // Behind the body, which may hold a `$type` of its own: what a relay judged the frame by is its header.
  return { kind: 'message', message: { ...frame.body, $type } }
}

function decodeEnvelope(protocol: StreamProtocol, payload: Uint8Array): Value {
  if (payload.length > MAX_FRAME_BYTES)
    throw new FrameError(
      'FrameTooLarge',
      `a frame has at most ${MAX_FRAME_BYTES} bytes, this one ${payload.length}`,
    )
  try {
    return protocol === 'xrpc.v1.json' ? parse(decoder.decode(payload)) : decode(payload)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new FrameError('InvalidFrame', `not a frame of ${protocol}: ${reason}`, cause)
  }
}

/** Discriminators that a later version may add are `unknown`, as unknown `op`s are in `xrpc.v0.cbor`. */
function envelopeOf(envelope: Value): StreamFrame {
  const { $type, payload, error, message } = (envelope ?? {}) as DataMap
  if ($type === 'error')
    return {
      kind: 'error',
      error: typeof error === 'string' ? error : 'UnknownError',
      message: typeof message === 'string' ? message : undefined,
    }
  // The draft called this frame "event"; the servers that came after it say "message".
  if ($type !== 'message' && $type !== 'event') return { kind: 'unknown' }
  const typed = payload as DataMap | null | undefined
  if (typeof typed !== 'object' || typed === null || typeof typed['$type'] !== 'string')
    throw new FrameError('InvalidFrame', 'the payload of the message frame has no "$type"')
  return { kind: 'message', message: typed as TypedMessage & DataMap }
}

const MAX_ERROR_FRAME_BYTES = 4096
const ERROR_MARK = '"$type":"error"'

/**
 * The error that a frame carries, if it is an error frame. Cheap on all others: at most a look at the first bytes, or
 * a search through a short one.
 */
export function errorIn(protocol: StreamProtocol, payload: Uint8Array): XrpcError | undefined {
  if (!mayBeError(protocol, payload)) return undefined
  let frame: StreamFrame
  try {
    frame = readFrame(protocol, '', payload)
  } catch {
    return undefined
  }
  if (frame.kind !== 'error') return undefined
  return new XrpcError(0, isErrorName(frame.error) ? frame.error : 'UnknownError', frame.message)
}

function mayBeError(protocol: StreamProtocol, payload: Uint8Array): boolean {
  if (protocol === 'xrpc.v0.cbor') return isErrorFrame(payload)
  if (payload.length > MAX_ERROR_FRAME_BYTES) return false
  return protocol === 'xrpc.v1.cbor' || new TextDecoder().decode(payload).includes(ERROR_MARK)
}
