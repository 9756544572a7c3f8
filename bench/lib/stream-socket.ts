import { connect, type Socket } from 'node:net'

/**
 * A WebSocket that only reads, on a bare socket: the client that Node brings takes longer for a frame than a server that
 * sends one to a hundred readers.
 * @param onFrame hears of every whole frame; its bytes are good until it returns.
 */
export async function openStreamSocket(
  url: URL,
  onFrame: (payload: Uint8Array) => void,
): Promise<{ readonly socket: Socket }> {
  const opened = Promise.withResolvers<void>()
  const frames = createFrameReader(onFrame)
  let head: Buffer | undefined = Buffer.alloc(0)
  const take = (chunk: Buffer) => {
    if (head === undefined) {
      frames(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return
    if (!head.subarray(0, end).toString('latin1').startsWith('HTTP/1.1 101')) {
      socket.destroy(new Error(`${url} refused: ${head.toString('latin1', 0, 200)}`))
      return
    }
    const rest = head.subarray(end + 4)
    head = undefined
    opened.resolve()
    if (rest.length > 0) frames(rest)
  }
  const socket = connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    // One piece of memory for all that comes: an allocation for each read takes the reader longer than reading.
    onread: {
      buffer: Buffer.allocUnsafe(64 * 1024),
      callback(length, buffer) {
        take((buffer as Buffer).subarray(0, length))
        return true
      },
    },
  })
  socket.on('error', opened.reject)
  socket.on('close', () => opened.reject(new Error(`${url} closed the connection`)))
  socket.write(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await opened.promise
  return { socket }
}

/** Cuts chunks into the payloads of unmasked messages. Control frames, which have a high opcode, are passed over. */
function createFrameReader(onFrame: (payload: Uint8Array) => void): (chunk: Buffer) => void {
  let kept: Buffer | undefined
  return (chunk) => {
    const bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk])
    let at = 0
    for (;;) {
      const short = bytes[at + 1]
      if (short === undefined) break
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + headBytes > bytes.length) break
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      const end = at + headBytes + length
      if (end > bytes.length) break
      if ((bytes[at]! & 0x0f) < 8) onFrame(bytes.subarray(at + headBytes, end))
      at = end
    }
    // The memory of a chunk is used again.
    kept = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined
  }
}
