/**
 * A WebSocket that a service has agreed to open. `serve` performs the handshake, writes what `messages` yields as it
 * is, and pings.
 */
export interface Upgrade {
  /** To be echoed in `Sec-WebSocket-Protocol`: one that the client offered. */
  readonly protocol?: string | undefined
  /**
   * Batches of whole, framed messages (unmasked), ready for the socket. The next batch is asked for when the socket has
   * taken the one before, so the stream runs at the client's pace. When it ends, the socket closes.
   * @param signal aborts when the socket closes or the server stops; the stream must end then
   */
  messages(signal: AbortSignal): AsyncIterable<readonly Uint8Array[]>
  /** A message from the client. What it throws ends the stream as if `messages` had thrown it. Default: ignored. */
  onMessage?(data: string | Uint8Array): void
  /**
   * The last message, framed, for what ended the stream: something that `messages` or `onMessage` threw, or a
   * {@link ConsumerTooSlowError}. `undefined` sends none.
   */
  errorMessage?(error: unknown): Uint8Array | undefined
  /**
   * How the socket closes then. Default: 1008 and the error's name on the wire for one that has it (an `error`, as
   * XRPC's have, or the `code` of a cursor or of a slow consumer); otherwise 1011, and the error is reported.
   */
  closeFor?(error: unknown): { readonly code: number; readonly reason: string } | undefined
}

/** Decides on a request to open a WebSocket: a response refuses it. */
export type UpgradeHandler = (request: Request) => Upgrade | Response | Promise<Upgrade | Response>

/**
 * The client's socket took nothing for so long that it is cut off. It can come back with its cursor.
 * @see https://atproto.com/specs/event-stream#connection
 */
export class ConsumerTooSlowError extends Error {
  override readonly name = 'ConsumerTooSlowError'
  readonly code = 'ConsumerTooSlow'

  constructor(seconds: number) {
    super(`the connection took no data for ${seconds} s: read faster, or reconnect with the last cursor`)
  }
}
