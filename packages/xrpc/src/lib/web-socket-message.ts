const FINAL = 0x80
const TEXT = 0x1
const BINARY = 0x2
const LENGTH_16 = 126
const LENGTH_64 = 127

/**
 * A payload as one whole WebSocket message from a server. Servers do not mask, so the bytes are the same for every
 * client: frame once, write to all.
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export function webSocketMessage(payload: Uint8Array, opcode: 'binary' | 'text'): Uint8Array {
  const { length } = payload
  const headerLength = length < LENGTH_16 ? 2 : length <= 0xffff ? 4 : 10
  const message = new Uint8Array(headerLength + length)
  message[0] = FINAL | (opcode === 'binary' ? BINARY : TEXT)
  if (headerLength === 2) message[1] = length
  else {
    const view = new DataView(message.buffer)
    message[1] = headerLength === 4 ? LENGTH_16 : LENGTH_64
    if (headerLength === 4) view.setUint16(2, length)
    else view.setBigUint64(2, BigInt(length))
  }
  message.set(payload, headerLength)
  return message
}
