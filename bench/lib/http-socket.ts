import { once } from 'node:events'
import { connect } from 'node:net'

/** One connection that asks and is answered, in turns: a client that costs less than the server it measures. */
export interface HttpSocket extends Disposable {
  /**
   * @param request the whole of it, head and body.
   * @returns the status and the length of the body. @throws Error when the server goes away.
   */
  ask(request: Uint8Array): Promise<{ readonly status: number; readonly length: number }>
}

interface Waiting {
  resolve(answer: { status: number; length: number }): void
  reject(error: Error): void
}

/** Understands answers that say their length, as those of both directories do. */
export async function openHttpSocket({ hostname, port }: URL): Promise<HttpSocket> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  let waiting: Waiting | undefined
  let status = 0
  let length = 0
  let missing = -1
  let head = ''

  const fail = (error: Error) => waiting?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    let bodyBytes = chunk.length
    if (missing === -1) {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      status = Number(head.slice(9, 12))
      length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1])
      if (Number.isNaN(length)) return fail(new Error(`an answer without its length: ${head.slice(0, 200)}`))
      bodyBytes = head.length - end - 4
      missing = length
      head = ''
    }
    missing -= bodyBytes
    if (missing > 0) return
    missing = -1
    const { resolve } = waiting!
    waiting = undefined
    resolve({ status, length })
  })
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      }),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** A request as it goes over a connection that stays. */
export function requestBytes(method: string, path: string, { host }: URL, body?: string): Uint8Array {
  const content =
    body === undefined
      ? ''
      : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${content}\r\n${body ?? ''}`)
}
