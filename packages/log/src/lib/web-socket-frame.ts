export type MessageOpcode = 'binary' | 'text'

const FINAL_TEXT = 0x81
const FINAL_BINARY = 0x82
const LENGTH_16 = 126
const LENGTH_64 = 127

/** Bytes that a whole message of this payload takes on the wire. */
export function framedLength(payloadLength: number): number {
  return payloadLength + (payloadLength < LENGTH_16 ? 2 : payloadLength <= 0xffff ? 4 : 10)
}

/**
 * Writes one unfragmented, unmasked message, as servers send them, into `target` at `offset`. Returns where it ends.
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
export function writeFramed(
  target: Uint8Array,
  offset: number,
  payload: Uint8Array,
  opcode: MessageOpcode,
): number {
  const { length } = payload
  let at = offset
  target[at++] = opcode === 'text' ? FINAL_TEXT : FINAL_BINARY
  if (length < LENGTH_16) target[at++] = length
  else if (length <= 0xffff) {
    target[at++] = LENGTH_16
    target[at++] = length >>> 8
    target[at++] = length & 0xff
  } else {
    target[at++] = LENGTH_64
    const view = new DataView(target.buffer, target.byteOffset + at, 8)
    view.setUint32(0, Math.floor(length / 2 ** 32))
    view.setUint32(4, length >>> 0)
    at += 8
  }
  target.set(payload, at)
  return at + length
}

/** One message, ready for the socket. */
export function frame(payload: Uint8Array, opcode: MessageOpcode): Uint8Array {
  const framed = new Uint8Array(framedLength(payload.length))
  writeFramed(framed, 0, payload, opcode)
  return framed
}
