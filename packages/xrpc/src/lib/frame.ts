import { concatBytes, type DataMap, decodeFirst, encode, isDataMap, type Value } from '@imago/data'
import { FrameError } from './frame-error.ts'

/** Largest frame that a stream may carry, header included, in bytes. */
export const MAX_FRAME_BYTES = 5_000_000

const MESSAGE_OP = 1
const ERROR_OP = -1
const ERROR_HEADER = encodeLazily(() => encode({ op: ERROR_OP }))
const [MAP_OF_ONE, MAP_OF_TWO, EMPTY_TEXT, LONG_TEXT] = [0xa1, 0xa2, 0x60, 0x78] as const

/** Headers of message types that this process sends: a handful, each encoded once. */
const messageHeaders = new Map<string, Uint8Array>()
const MAX_CACHED_HEADERS = 64

/** What a frame of the `xrpc.v0.cbor` protocol says. */
export type Frame =
  | {
      readonly kind: 'message'
      /** As on the wire: `#commit`, or a whole reference where the type is another schema's. */
      readonly type: string
      readonly body: DataMap
      /** Where the body begins in the frame, so that a relay can splice rather than encode again. */
      readonly bodyOffset: number
    }
  | { readonly kind: 'error'; readonly error: string; readonly message: string | undefined }
  /** An `op` that this version does not know, or a message without a type: to be ignored, not to be failed on. */
  | { readonly kind: 'unknown'; readonly op: number }

/**
 * The header bytes of a message frame; the body follows them at once. The array is shared: do not write to it.
 * @see https://atproto.com/specs/event-stream#framing
 */
export function frameHeader(type: string): Uint8Array {
  const cached = messageHeaders.get(type)
  if (cached) return cached
  const header = encode({ op: MESSAGE_OP, t: type })
  if (messageHeaders.size < MAX_CACHED_HEADERS) messageHeaders.set(type, header)
  return header
}

/**
 * One message of an event stream, ready to be the payload of a binary WebSocket message.
 * @param type `#commit`: the fragment of the message's schema within the subscription's own document
 * @param body the message without its `$type`
 * @see https://atproto.com/specs/event-stream#framing
 */
export function encodeFrame(type: string, body: DataMap): Uint8Array {
  return concatBytes([frameHeader(type), encode(body)])
}

/** The last frame of a stream that fails: its name, and a text for whoever reads the log. */
export function encodeErrorFrame(error: string, message?: string): Uint8Array {
  const body = encode(message === undefined ? { error } : { error, message })
  return concatBytes([ERROR_HEADER(), body])
}

/**
 * Reads a frame. Frames that a later protocol version may add come back as `unknown`.
 * @throws {FrameError} `FrameTooLarge` above {@link MAX_FRAME_BYTES}, `InvalidFrame` where the bytes are not exactly
 * two DRISL maps: drop the connection.
 * @see https://atproto.com/specs/event-stream#framing
 */
export function decodeFrame(frame: Uint8Array): Frame {
  if (frame.length > MAX_FRAME_BYTES)
    throw new FrameError(
      'FrameTooLarge',
      `a frame has at most ${MAX_FRAME_BYTES} bytes, this one ${frame.length}`,
    )
  const header = decodeMap(frame, 0, 'header')
  const body = decodeMap(frame, header.end, 'body')
  if (body.end !== frame.length)
    throw new FrameError('InvalidFrame', `${frame.length - body.end} bytes follow the body of the frame`)

  const { op, t } = header.value
  if (typeof op !== 'number')
    throw new FrameError('InvalidFrame', 'the header of the frame has no numeric "op"')
  if (op === MESSAGE_OP && typeof t === 'string')
    return { kind: 'message', type: t, body: body.value, bodyOffset: header.end }
  if (op === ERROR_OP) return errorOf(body.value)
  return { kind: 'unknown', op }
}

/**
 * Whether a frame is an error frame, told from its first bytes. Its header says `op` alone, as the specification has it,
 * or a `t` before it: indigo's relay sends what it said of the message before.
 */
export function isErrorFrame(frame: Uint8Array): boolean {
  const at = frame[0] === MAP_OF_ONE ? 1 : frame[0] === MAP_OF_TWO ? endOfType(frame) : 0
  // `op` is text of two characters, and −1 the byte after it.
  return (
    at > 0 &&
    frame[at + 3] === 0x20 &&
    frame[at] === 0x62 &&
    frame[at + 1] === 0x6f &&
    frame[at + 2] === 0x70 &&
    frame.length > at + 4
  )
}

/** Where the first entry of a header ends, if that is a `t` of up to 23 characters; otherwise 0. */
function endOfType(frame: Uint8Array): number {
  const head = frame[3]!
  return frame[1] === 0x61 && frame[2] === 0x74 && head >= EMPTY_TEXT && head < LONG_TEXT
    ? 4 + head - EMPTY_TEXT
    : 0
}

function errorOf(body: DataMap): Frame {
  const { error, message } = body
  return {
    kind: 'error',
    error: typeof error === 'string' ? error : 'UnknownError',
    message: typeof message === 'string' ? message : undefined,
  }
}

function decodeMap(frame: Uint8Array, offset: number, part: string): { value: DataMap; end: number } {
  let decoded: { value: Value; end: number }
  try {
    decoded = decodeFirst(frame, offset)
  } catch (cause) {
    throw new FrameError('InvalidFrame', `the ${part} of the frame is not DRISL: ${messageOf(cause)}`, cause)
  }
  if (!isDataMap(decoded.value)) throw new FrameError('InvalidFrame', `the ${part} of the frame is not a map`)
  return { value: decoded.value, end: decoded.end }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function encodeLazily(make: () => Uint8Array): () => Uint8Array {
  let made: Uint8Array | undefined
  return () => (made ??= make())
}
