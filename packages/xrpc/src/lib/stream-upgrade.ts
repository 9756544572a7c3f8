import type { Subscription } from './method.ts'
import { DEFAULT_STREAM_PROTOCOL, frameError, type StreamProtocol } from './stream-protocol.ts'
import { isErrorName, type XrpcError } from './xrpc-error.ts'

/** A WebSocket handshake that may be accepted, and the stream that follows it. */
export interface Upgrade {
  /** To be echoed in `Sec-WebSocket-Protocol`; `undefined` where the client offered nothing that this stream speaks. */
  readonly protocol: StreamProtocol | undefined
  /**
   * Batches of framed bytes to write as they are; close the socket when they end. Nothing runs before the first is
   * asked for. Never throws: a failure is the last frame.
   * @param signal aborts when the socket closes
   */
  messages(signal: AbortSignal): AsyncGenerator<readonly Uint8Array[]>
  /**
   * The last frame, where whoever owns the socket ends the stream: for an error whose `code` is a name of the protocol,
   * such as `ConsumerTooSlow`.
   */
  errorMessage(error: unknown): Uint8Array | undefined
}

/**
 * Settles the protocol and binds the handler of a subscription to a request whose parameters are good.
 * @param expected turns whatever the handler throws into the error that the client shall see
 */
export function openStream(
  { schema, options, handler }: Subscription,
  params: unknown,
  request: Request,
  expected: (error: unknown) => XrpcError,
): Upgrade {
  const served = options.protocols ?? [DEFAULT_STREAM_PROTOCOL]
  const agreed = agree(request.headers.get('sec-websocket-protocol'), served)
  const protocol = agreed ?? served[0]

  async function* messages(signal: AbortSignal): AsyncGenerator<readonly Uint8Array[]> {
    try {
      yield* handler({ nsid: schema.nsid, params, request, signal, protocol })
    } catch (error) {
      if (signal.aborted) return
      const { error: name, message } = expected(error)
      yield [frameError(protocol, name, message)]
    }
  }

  function errorMessage(error: unknown): Uint8Array | undefined {
    if (!(error instanceof Error) || !('code' in error) || !isErrorName(error.code)) return undefined
    return frameError(protocol, error.code, error.message)
  }

  return { protocol: agreed, messages, errorMessage }
}

/** The first protocol in the client's order of preference that the stream speaks. Names are case-sensitive. */
function agree(offered: string | null, served: readonly StreamProtocol[]): StreamProtocol | undefined {
  if (offered === null) return undefined
  for (const name of offered.split(',')) {
    const found = served.find((protocol) => protocol === name.trim())
    if (found) return found
  }
  return undefined
}
