import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { ConsumerTooSlowError, type Upgrade } from './upgrade.ts'

export interface SessionOptions {
  /** For reading and for closing. What it sends by itself (pongs, pings, close) are whole frames, as ours are. */
  readonly webSocket: WebSocket
  /** The same connection, for writing. */
  readonly socket: Duplex
  readonly upgrade: Upgrade
  /** Cut the connection when it takes no data for this long. */
  readonly drainTimeoutMs: number
  readonly onUnexpectedError: (error: unknown) => void
}

/** One open WebSocket. */
export interface Session {
  /** Resolves when the connection is closed. Never rejects. */
  readonly closed: Promise<void>
  /** Pings; a peer that has given no sign of life since the ping before is cut off. */
  ping(): void
  /** Ends the stream and says goodbye, because the server stops. */
  stop(): void
  /** Cuts the connection. */
  terminate(): void
}

const CLOSE_NORMAL = 1000
const CLOSE_GOING_AWAY = 1001
const CLOSE_POLICY = 1008
const CLOSE_INTERNAL_ERROR = 1011
const MAX_REASON_BYTES = 123

/** Runs the stream of an accepted WebSocket to its end. */
export function startSession(options: SessionOptions): Session {
  const { webSocket, socket, upgrade, drainTimeoutMs, onUnexpectedError } = options
  const ended = new AbortController()
  let alive = true
  let stopping = false
  let inboundError: { readonly error: unknown } | undefined

  const closed = Promise.withResolvers<void>()
  webSocket.on('close', () => {
    ended.abort()
    closed.resolve()
  })
  // A broken connection or frame; `close` follows.
  webSocket.on('error', () => {})
  webSocket.on('pong', () => {
    alive = true
  })
  webSocket.on('message', (data, isBinary) => {
    alive = true
    if (!upgrade.onMessage || ended.signal.aborted) return
    try {
      upgrade.onMessage(isBinary ? bytesOf(data) : bytesOf(data).toString())
    } catch (error) {
      inboundError = { error }
      ended.abort()
    }
  })

  async function pump(): Promise<{ readonly error: unknown } | undefined> {
    try {
      for await (const frames of upgrade.messages(ended.signal)) {
        if (ended.signal.aborted) break
        socket.cork()
        for (const frame of frames) socket.write(frame)
        socket.uncork()
        if (socket.writableNeedDrain) await drained(socket, ended.signal, drainTimeoutMs)
      }
    } catch (error) {
      // A stream that was told to end may say so by throwing.
      if (!ended.signal.aborted) return { error }
    }
    return inboundError
  }

  function close(failed: { readonly error: unknown } | undefined): void {
    if (webSocket.readyState !== webSocket.OPEN) return
    if (stopping) webSocket.close(CLOSE_GOING_AWAY, 'the server is stopping')
    else if (failed) closeFor(failed.error)
    else webSocket.close(CLOSE_NORMAL)
  }

  function closeFor(error: unknown): void {
    const message = upgrade.errorMessage?.(error)
    if (message) socket.write(message)
    const { code, reason } = upgrade.closeFor?.(error) ?? defaultClose(error)
    if (code === CLOSE_INTERNAL_ERROR) onUnexpectedError(error)
    webSocket.close(code, cut(reason))
  }

  async function run(): Promise<void> {
    try {
      close(await pump())
    } catch (error) {
      // The service's own `errorMessage` or `closeFor` failed.
      onUnexpectedError(error)
      webSocket.terminate()
    } finally {
      ended.abort()
    }
  }

  run()
  return {
    closed: closed.promise,
    ping: () => {
      // A peer that is still busy with our data answers late; the drain timeout watches over it.
      if (socket.writableNeedDrain) return
      if (!alive) return webSocket.terminate()
      alive = false
      if (webSocket.readyState === webSocket.OPEN) webSocket.ping()
    },
    stop: () => {
      stopping = true
      ended.abort()
    },
    terminate: () => webSocket.terminate(),
  }
}

/**
 * Until the socket has taken what was written, or is told to end.
 * @throws {ConsumerTooSlowError}
 */
function drained(socket: Duplex, signal: AbortSignal, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer)
      socket.off('drain', settle)
      signal.removeEventListener('abort', settle)
      resolve()
    }
    const timer = setTimeout(() => {
      reject(new ConsumerTooSlowError(timeoutMs / 1000))
      settle()
    }, timeoutMs)
    socket.on('drain', settle)
    signal.addEventListener('abort', settle)
  })
}

const PROTOCOL_CODES: readonly unknown[] = ['FutureCursor', 'OutdatedCursor', 'ConsumerTooSlow']

/** An error that the protocol names is the client's to know; any other, a damaged log above all, is ours. */
function defaultClose(error: unknown): { code: number; reason: string } {
  if (error instanceof Error) {
    if ('error' in error && typeof error.error === 'string')
      return { code: CLOSE_POLICY, reason: error.error }
    if ('code' in error && PROTOCOL_CODES.includes(error.code))
      return { code: CLOSE_POLICY, reason: String(error.code) }
  }
  return { code: CLOSE_INTERNAL_ERROR, reason: 'InternalServerError' }
}

function cut(reason: string): string {
  return Buffer.byteLength(reason) <= MAX_REASON_BYTES
    ? reason
    : Buffer.from(reason)
        .subarray(0, MAX_REASON_BYTES - 3)
        .toString()
        .replace(/\uFFFD+$/, '')
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}
