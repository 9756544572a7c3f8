import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** What can stand beside a host and a port in an address, and would move where the path begins. */
const BEYOND_HOST = /[/?#@\\]/

/** The request to upgrade, as web standards have it; `undefined` when it is not one that they can express. */
export function requestOf(incoming: IncomingMessage): Request | undefined {
  const { host } = incoming.headers
  if (!host || BEYOND_HOST.test(host) || !incoming.url?.startsWith('/')) return undefined
  const url = URL.parse(`http://${host}${incoming.url}`)
  if (!url) return undefined
  const headers = new Headers()
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2)
    headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!)
  return new Request(url, { method: 'GET', headers })
}

/** Answers a request to upgrade with a plain HTTP response, and closes the connection. */
export async function writeRefusal(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  const headers = new Headers(response.headers)
  headers.set('connection', 'close')
  headers.set('content-length', String(body.length))
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const reason = response.statusText || STATUS_CODES[response.status] || ''
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${response.status} ${reason}\r\n${lines}\r\n`, 'latin1'), body]),
  )
}
