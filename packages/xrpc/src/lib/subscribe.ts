import { createBackoff } from './backoff.ts'
import { pause } from './pause.ts'
import { type Ending, type Received, StreamConnection } from './stream-connection.ts'
import { errorIn } from './stream-protocol.ts'
import { XrpcError } from './xrpc-error.ts'

/** A connection that ended, and what comes next. */
export interface Disconnect {
  readonly ending: Ending | 'error frame'
  /** What the server said when it closed, or in its error frame. */
  readonly reason: string
  /** How many times in a row it now failed without lasting. */
  readonly failures: number
  /** Pause before the next attempt. */
  readonly delayMs: number
}

export interface SubscribeOptions {
  /**
   * The position of the last message that the consumer is done with, asked for at each connection and sent as `cursor`.
   * `undefined` for the live end, as before the first message of a consumer that wants no past.
   */
  readonly cursor?: (() => number | undefined | Promise<number | undefined>) | undefined
  /** Ends the loop: the generator returns, without an error. */
  readonly signal?: AbortSignal | undefined
  /** Offered in `Sec-WebSocket-Protocol`, the preferred one first. Default: none. */
  readonly protocols?: readonly string[] | undefined
  /** Connects anew after such a silence, noticed within twice the time. Pings do not count: no browser shows them. */
  readonly idleTimeoutMs?: number | undefined
  /** Default: 20,000. */
  readonly connectTimeoutMs?: number | undefined
  /** The first pause before connecting anew. Default: 1,000. */
  readonly minDelayMs?: number | undefined
  /** The longest. Default: 60,000. */
  readonly maxDelayMs?: number | undefined
  /** A connection that lasted so long resets the pauses. Default: 30,000. */
  readonly sustainedMs?: number | undefined
  /** Failed connections in a row after which to give up. Default: never. */
  readonly maxFailures?: number | undefined
  /**
   * Bytes that may wait for the consumer. A consumer that falls further behind gets what waits; then the stream goes on
   * from its cursor over a new connection. Without a cursor, what came in between is lost. Default: 16,777,216.
   */
  readonly maxBufferBytes?: number | undefined
  /**
   * What to do about an error frame: connect anew from the cursor, or throw the error. Default: `reconnect` for
   * `ConsumerTooSlow`, `throw` for all others, such as `FutureCursor`.
   */
  readonly onErrorFrame?: ((error: XrpcError) => 'reconnect' | 'throw') | undefined
  /** Told of every connection that ended and will be followed by another. */
  readonly onDisconnect?: ((disconnect: Disconnect) => void) | undefined
  /**
   * Makes the socket. Default: the global `WebSocket`. Where to add request headers, on runtimes that can; and where to
   * bound messages, and hang up on hosts that never answer a closing handshake, if they are not to be trusted: the global
   * one of Node takes 128 MiB, and waits for ever.
   */
  readonly open?: ((url: URL, protocols: string[]) => WebSocket) | undefined
  /** Milliseconds on a clock that does not run backwards. Default: `performance.now`. */
  readonly now?: (() => number) | undefined
  /** 0 ≤ r < 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Default: waits in real time, and rejects when the signal aborts. */
  readonly sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
}

/**
 * The raw frames of an event stream, for as long as the consumer takes them: connects anew, from the cursor, whenever
 * the connection ends. Frames are not decoded. A frame may come twice, where the cursor was behind; none is left out.
 * @param url `wss://…` or `https://…`, parameters included
 * @throws {XrpcError} with status 0 and the name in an error frame, as `onErrorFrame` decides; `NetworkError` after
 * `maxFailures`.
 * @see https://atproto.com/specs/event-stream
 */
export function subscribe(url: string | URL, options: SubscribeOptions = {}): AsyncGenerator<Uint8Array> {
  return follow(url, options, ({ payload }) => payload)
}

/**
 * The loop behind {@link subscribe}.
 * @param read turns a message into what is yielded, when its turn comes; `undefined` leaves it out
 */
export async function* follow<T>(
  url: string | URL,
  options: SubscribeOptions,
  read: (received: Received) => T | undefined,
): AsyncGenerator<T> {
  const { signal, sustainedMs = 30_000, maxFailures = Infinity } = options
  const { now = () => performance.now(), random = Math.random, sleep = pause } = options
  const { onErrorFrame = reconnectWhenSlow } = options
  const backoff = createBackoff(options.minDelayMs ?? 1_000, options.maxDelayMs ?? 60_000, random)

  while (!signal?.aborted) {
    const cursor = await options.cursor?.()
    if (signal?.aborted) return
    const connection = connect(url, cursor, options)
    const abort = () => connection.end('aborted')
    signal?.addEventListener('abort', abort, { once: true })
    const startedMs = now()
    let failure: XrpcError | undefined
    try {
      while (failure === undefined) {
        if (signal?.aborted) return
        const received = connection.take()
        if (received === undefined) {
          if (connection.ending) break
          await connection.ready()
          continue
        }
        failure = errorIn(received.protocol, received.payload)
        if (failure) break
        const item = read(received)
        if (item !== undefined) yield item
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      connection.end('aborted')
    }

    if (failure && onErrorFrame(failure) === 'throw') throw failure
    if (connection.opened && now() - startedMs >= sustainedMs) backoff.reset()
    if (backoff.failures >= maxFailures)
      throw new XrpcError(0, 'NetworkError', `${url} failed ${maxFailures + 1} times in a row`)
    const delayMs = backoff.next()
    options.onDisconnect?.({
      ending: failure ? 'error frame' : connection.ending!,
      reason: failure ? `${failure.error}: ${failure.message}` : connection.closeReason,
      failures: backoff.failures,
      delayMs,
    })
    try {
      await sleep(delayMs, signal)
    } catch (error) {
      if (signal?.aborted) return
      throw error
    }
  }
}

function connect(url: string | URL, cursor: number | undefined, options: SubscribeOptions): StreamConnection {
  const target = new URL(url)
  if (target.protocol.startsWith('http')) target.protocol = target.protocol.replace('http', 'ws')
  if (cursor !== undefined) target.searchParams.set('cursor', String(cursor))
  const { open = openGlobal, protocols = [], maxBufferBytes = 16_777_216 } = options
  return new StreamConnection(open(target, [...protocols]), {
    maxBufferBytes,
    connectTimeoutMs: options.connectTimeoutMs ?? 20_000,
    idleTimeoutMs: options.idleTimeoutMs,
  })
}

function openGlobal(url: URL, protocols: string[]): WebSocket {
  return new WebSocket(url, protocols)
}

function reconnectWhenSlow({ error }: XrpcError): 'reconnect' | 'throw' {
  return error === 'ConsumerTooSlow' ? 'reconnect' : 'throw'
}
