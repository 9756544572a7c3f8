import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from '@imago/identity/node'
import { WebSocket as NodeWebSocket } from 'ws'
import { VERSION } from '../version.ts'

export interface VettedWebSocketOptions {
  /** Hosts that are dialled without a look at their address: those of a development network. */
  readonly allow?: (url: URL) => boolean
  /** A connection on which nothing is heard for up to twice this time, not even an answer to a ping, is cut. Default 30 s. */
  readonly heartbeatMs?: number
}

/** Four times what a frame may have: one that is too large is refused by itself, and does not end the stream. */
const MAX_MESSAGE_BYTES = 20_000_000

/**
 * Makes WebSockets to hosts that strangers named: to public addresses only, to the very address that was checked, and
 * with a heartbeat, since a peer that vanished says nothing.
 */
export function createVettedWebSocket({
  allow = () => false,
  heartbeatMs = 30_000,
}: VettedWebSocketOptions = {}) {
  return (url: URL, protocols: string[]): WebSocket => {
    const socket = new NodeWebSocket(url, protocols, {
      headers: { 'user-agent': `imago-relay/${VERSION}` },
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      ...(!allow(url) && { lookup: publicLookup }),
    })
    watch(socket, heartbeatMs)
    // The same events and methods, as far as a reader of streams uses them.
    return socket as unknown as WebSocket
  }
}

function watch(socket: NodeWebSocket, heartbeatMs: number): void {
  let heard = true
  const hear = () => {
    heard = true
  }
  let timer: NodeJS.Timeout | undefined
  socket.on('open', () => {
    timer = setInterval(() => {
      if (!heard) return socket.terminate()
      heard = false
      socket.ping()
    }, heartbeatMs)
  })
  for (const sign of ['message', 'ping', 'pong'] as const) socket.on(sign, hear)
  socket.on('close', () => clearInterval(timer))
  // `close` follows; without a listener of its own the error would end the process.
  socket.on('error', () => {})
}

const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, '')
    const blocked = addresses.find(({ address }) => !isPublicAddress(address))
    const first = addresses[0]
    if (blocked || !first)
      done(new Error(`${hostname} leads to ${blocked?.address ?? 'nowhere'}, not a public address`), '')
    else if (options.all) done(null, addresses)
    else done(null, first.address, first.family)
  })
}
