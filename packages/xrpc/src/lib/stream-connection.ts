import { DEFAULT_STREAM_PROTOCOL, type StreamProtocol } from './stream-protocol.ts'

/** Why a connection ended. */
export type Ending =
  /** The server closed it, cleanly or not. */
  | 'closed'
  /** It never opened. */
  | 'refused'
  /** Nothing came for too long. */
  | 'idle'
  /** More came than the consumer took. */
  | 'overflow'
  /** The consumer's signal aborted. */
  | 'aborted'

/** The payload of one WebSocket message, and the protocol that it is written in. */
export interface Received {
  readonly protocol: StreamProtocol
  readonly payload: Uint8Array
}

export interface ConnectionLimits {
  readonly maxBufferBytes: number
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number | undefined
}

const NORMAL_CLOSURE = 1000
/** Messages that were taken and still lie in the queue: removing each at once would move all the others. */
const MAX_TAKEN = 1024
const encoder = new TextEncoder()

/**
 * One WebSocket, turned from pushing to being pulled. WebSockets cannot be paused, so what the consumer has not taken
 * waits here, up to `maxBufferBytes`; the message that would exceed it ends the connection, and is lost with it.
 */
export class StreamConnection {
  readonly #socket: WebSocket
  readonly #limits: ConnectionLimits
  readonly #queue: Received[] = []
  #taken = 0
  #queuedBytes = 0
  #ending: Ending | undefined
  #closeReason = ''
  #opened = false
  #wake: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #heard = false

  constructor(socket: WebSocket, limits: ConnectionLimits) {
    this.#socket = socket
    this.#limits = limits
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', this.#onOpen)
    socket.addEventListener('message', this.#onMessage)
    socket.addEventListener('close', this.#onClose)
    socket.addEventListener('error', this.#onError)
    this.#timer = setTimeout(() => this.end('refused'), limits.connectTimeoutMs)
  }

  /** Why no more messages come; `undefined` while they may. Those that came before can still be taken. */
  get ending(): Ending | undefined {
    return this.#ending
  }

  get opened(): boolean {
    return this.#opened
  }

  /** What the server said in its closing handshake. */
  get closeReason(): string {
    return this.#closeReason
  }

  /** The next message, or `undefined` where none waits. */
  take(): Received | undefined {
    const next = this.#queue[this.#taken]
    if (next === undefined) return undefined
    this.#queuedBytes -= next.payload.length
    if (++this.#taken === this.#queue.length || this.#taken === MAX_TAKEN) {
      this.#queue.splice(0, this.#taken)
      this.#taken = 0
    }
    return next
  }

  /** Resolves when a message waits, or the connection has ended. */
  ready(): Promise<void> {
    if (this.#queue.length > 0 || this.#ending) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Lets go of the socket. What waits can still be taken. Only the first reason counts. */
  end(reason: Ending): void {
    if (this.#ending) return
    this.#ending = reason
    clearTimeout(this.#timer)
    // Listeners stay: a socket that is closed while it connects may report an error, which somebody has to take.
    this.#socket.close(NORMAL_CLOSURE)
    this.#wake?.()
  }

  #onOpen = () => {
    if (this.#ending) return
    this.#opened = true
    clearTimeout(this.#timer)
    this.#watchIdleness()
  }

  #onMessage = ({ data }: MessageEvent) => {
    if (this.#ending) return
    this.#heard = true
    const received = this.#received(data)
    const { length } = received.payload
    // A message alone is let in at any size: refusing it would mean to meet it again after each reconnection.
    if (this.#queue.length > 0 && this.#queuedBytes + length > this.#limits.maxBufferBytes)
      return this.end('overflow')
    this.#queuedBytes += length
    this.#queue.push(received)
    this.#wake?.()
    this.#wake = undefined
  }

  #onClose = ({ reason }: CloseEvent) => {
    if (!this.#ending) this.#closeReason = reason
    this.end(this.#opened ? 'closed' : 'refused')
  }

  #onError = () => {
    this.end(this.#opened ? 'closed' : 'refused')
  }

  #received(data: string | ArrayBuffer): Received {
    if (typeof data === 'string') return { protocol: 'xrpc.v1.json', payload: encoder.encode(data) }
    const protocol = this.#socket.protocol === 'xrpc.v1.cbor' ? 'xrpc.v1.cbor' : DEFAULT_STREAM_PROTOCOL
    return { protocol, payload: new Uint8Array(data) }
  }

  /** One timer per period rather than one per message: silence is noticed after one to two periods. */
  #watchIdleness(): void {
    const { idleTimeoutMs } = this.#limits
    if (idleTimeoutMs === undefined) return
    this.#timer = setTimeout(() => {
      if (!this.#heard) return this.end('idle')
      this.#heard = false
      this.#watchIdleness()
    }, idleTimeoutMs)
  }
}
