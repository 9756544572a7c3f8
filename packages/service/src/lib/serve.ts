import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { Reply } from '@imago/xrpc/server'
import { WebSocketServer, type ServerOptions as WebSocketServerOptions } from 'ws'
import { listen } from './listen.ts'
import { requestBody } from './request-body.ts'
import { RequestMessage } from './request-message.ts'
import type { Upgrade, UpgradeHandler } from './upgrade.ts'
import { requestOf, writeRefusal } from './upgrade-http.ts'
import { type Session, startSession } from './web-socket-session.ts'
import { writeReply, writeResponse } from './write-response.ts'

/** What is known of a connection beyond the request. Fits what Hono's helpers for Node expect of an environment. */
export interface Connection {
  /** The peer's IP address: a proxy's, where one stands before the server. */
  readonly remoteAddress: string | undefined
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse | undefined
}

export interface ServeOptions {
  fetch(request: Request, connection: Connection): Response | Promise<Response>
  /** Asked in place of `fetch`, where it is given: a {@link Reply} costs less to make and to write than a `Response`. */
  readonly answer?:
    | ((request: Request, connection: Connection) => Reply | Response | Promise<Reply | Response>)
    | undefined
  /** Without it, requests to upgrade are answered by `fetch`. */
  readonly upgrade?: ((request: Request, connection: Connection) => ReturnType<UpgradeHandler>) | undefined
  /** `localhost` listens on both 127.0.0.1 and ::1. Default: every interface. */
  readonly hostname?: string | undefined
  /** 0 lets the system choose. */
  readonly port: number
  /** Stops the server as disposing of it does. */
  readonly signal?: AbortSignal | undefined
  /** Name of the setting that holds the port, for the message when it is taken. */
  readonly portSetting?: string | undefined
  /** Hears what `fetch`, `upgrade` or a stream threw and should not have. Default: standard error. */
  readonly onUnexpectedError?: ((error: unknown) => void) | undefined
  /** Time between pings. A peer that leaves one unanswered until the next is cut off. Default 30 s. */
  readonly pingIntervalMs?: number | undefined
  /** A WebSocket that takes no data for this long is closed with ConsumerTooSlow. Default 30 s. */
  readonly drainTimeoutMs?: number | undefined
  /** Largest message that a client may send over a WebSocket. Default 1 MiB. */
  readonly maxMessageBytes?: number | undefined
  /** A request must have arrived whole by then, body included. Default 10 minutes. */
  readonly requestTimeoutMs?: number | undefined
  /** How long stopping waits for requests and closing handshakes before it cuts them off. Default 5 s. */
  readonly stopTimeoutMs?: number | undefined
}

/** A server that listens. Disposing of it stops accepting, says goodbye to WebSockets and lets requests finish. */
export interface Server extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** WebSockets that are open. */
  readonly webSockets: number
}

const KEEP_ALIVE_MS = 75_000
const CLOSE_HANDSHAKE_MS = 5000
/** Tells the adapter that we have written the response ourselves: its own writer hides failures of streamed bodies. */
const ALREADY_SENT = new Response(null, { headers: { 'x-hono-already-sent': 'true' } })

/**
 * Serves a fetch function over HTTP, and streams of framed messages over WebSocket.
 * @throws {ListenError} when the address cannot be had; the message says what to do.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const {
    hostname,
    upgrade,
    onUnexpectedError = console.error,
    pingIntervalMs = 30_000,
    drainTimeoutMs = 30_000,
    maxMessageBytes = 1024 * 1024,
    requestTimeoutMs = 600_000,
    stopTimeoutMs = 5000,
  } = options
  const sessions = new Set<Session>()
  const agreed = new WeakMap<IncomingMessage, Upgrade>()
  const settings: WebSocketServerOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    closeTimeout: CLOSE_HANDSHAKE_MS,
    handleProtocols: (_offered, incoming) => agreed.get(incoming)?.protocol ?? false,
  }
  const webSocketServer = new WebSocketServer(settings)

  async function answer(
    request: Request,
    connection: Connection & { outgoing: ServerResponse },
  ): Promise<void> {
    try {
      const reply = await (options.answer ?? options.fetch)(request, connection)
      if (reply instanceof Reply) writeReply(reply, connection.outgoing)
      else await writeResponse(reply, connection.outgoing)
    } catch (error) {
      if (connection.outgoing.destroyed && request.signal.aborted) return
      onUnexpectedError(error)
      if (!connection.outgoing.headersSent) await writeResponse(internalServerError(), connection.outgoing)
    }
  }

  const listener = getRequestListener(
    async (request, bindings) => {
      const { incoming, outgoing } = bindings as { incoming: IncomingMessage; outgoing: ServerResponse }
      if (incoming.method !== 'GET' && incoming.method !== 'HEAD') giveBody(request, incoming)
      await answer(request, { incoming, outgoing, remoteAddress: incoming.socket.remoteAddress })
      return ALREADY_SENT
    },
    // The lighter classes it would put in place of the global ones fail `instanceof` with what `fetch` returns.
    { overrideGlobalObjects: false },
  )

  async function decide(incoming: IncomingMessage): Promise<Upgrade | Response> {
    const request = requestOf(incoming)
    if (!request) return new Response('the request has no valid Host or target', { status: 400 })
    try {
      return await upgrade!(request, {
        incoming,
        outgoing: undefined,
        remoteAddress: incoming.socket.remoteAddress,
      })
    } catch (error) {
      onUnexpectedError(error)
      return internalServerError()
    }
  }

  async function onUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const ignore = () => {}
    socket.on('error', ignore)
    const decision = await decide(incoming)
    if (stopping || decision instanceof Response) {
      await writeRefusal(
        socket,
        decision instanceof Response ? decision : new Response(null, { status: 503 }),
      )
      return
    }
    agreed.set(incoming, decision)
    socket.off('error', ignore)
    webSocketServer.handleUpgrade(incoming, socket, head, (webSocket) => {
      const session = startSession({
        webSocket,
        socket,
        upgrade: decision,
        drainTimeoutMs,
        onUnexpectedError,
      })
      sessions.add(session)
      session.closed.then(() => sessions.delete(session))
    })
  }

  function createHttpServer(): HttpServer {
    const server = createServer(
      {
        IncomingMessage: RequestMessage,
        keepAliveTimeout: KEEP_ALIVE_MS,
        requestTimeout: requestTimeoutMs,
        shouldUpgradeCallback: ({ headers }) =>
          upgrade !== undefined && headers.upgrade?.toLowerCase() === 'websocket',
      },
      listener,
    )
    if (upgrade)
      server.on('upgrade', (incoming, socket, head) => {
        onUpgrade(incoming, socket, head).catch((error) => {
          onUnexpectedError(error)
          socket.destroy()
        })
      })
    return server
  }

  let stopping = false
  const { servers, port } = await listen(createHttpServer, {
    hostname,
    port: options.port,
    setting: options.portSetting,
  })
  const pings = setInterval(() => {
    for (const session of sessions) session.ping()
  }, pingIntervalMs)

  async function stop(): Promise<void> {
    stopping = true
    options.signal?.removeEventListener('abort', stopOnce)
    clearInterval(pings)
    const unbound = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    const open = [...sessions]
    for (const session of open) session.stop()
    // A connection that was busy when `close` was called turns idle later, and would be kept alive.
    const idle = setInterval(() => {
      for (const server of servers) server.closeIdleConnections()
    }, 20)
    const cut = setTimeout(() => {
      for (const session of sessions) session.terminate()
      for (const server of servers) server.closeAllConnections()
    }, stopTimeoutMs)
    await unbound
    await Promise.all(open.map(({ closed }) => closed))
    clearInterval(idle)
    clearTimeout(cut)
  }

  let stopped: Promise<void> | undefined
  const stopOnce = () => (stopped ??= stop())
  if (options.signal?.aborted) await stopOnce()
  else options.signal?.addEventListener('abort', stopOnce)

  return {
    url: `http://${urlHost(hostname)}:${port}`,
    port,
    get webSockets() {
      return sessions.size
    },
    [Symbol.asyncDispose]: stopOnce,
  }
}

const INCOMING = Symbol('incoming')
const BODY = Symbol('body')

interface RequestWithBody extends Request {
  [INCOMING]?: RequestMessage
  [BODY]?: ReadableStream<Uint8Array>
}

/** That of the adapter's requests, with our own body. */
let withBody: object | undefined

/**
 * The adapter's own body costs more, as a stream and in one piece. By a prototype: properties of each request would take
 * eight times as long.
 */
function giveBody(request: RequestWithBody, incoming: IncomingMessage): void {
  withBody ??= Object.create(Object.getPrototypeOf(request), {
    body: {
      get(this: RequestWithBody) {
        return (this[BODY] ??= requestBody(this[INCOMING]!))
      },
    },
    bytes: {
      value(this: RequestWithBody) {
        return this[INCOMING]!.whole()
      },
    },
  }) as object
  Object.setPrototypeOf(request, withBody)
  request[INCOMING] = incoming as RequestMessage
}

function internalServerError(): Response {
  return Response.json({ error: 'InternalServerError', message: 'Internal Server Error' }, { status: 500 })
}

/** A host that a client on this machine can use. */
function urlHost(hostname: string | undefined): string {
  if (hostname === undefined || hostname === '0.0.0.0' || hostname === '::') return 'localhost'
  return hostname.includes(':') ? `[${hostname}]` : hostname
}
