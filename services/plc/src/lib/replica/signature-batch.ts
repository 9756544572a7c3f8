import type { SignedBytes } from '@imago/identity/plc'

/** A signature to be verified, and the `did:key`s one of which should have made it. */
export interface SignatureToVerify extends SignedBytes {
  readonly keys: readonly string[]
}

/** Signatures on their way to another thread: most are by few keys, so each key is told once. */
export interface SignatureBatch {
  readonly keys: readonly string[]
  /**
   * For each signature: length of the message and number of its keys (16 bits each), places of these in `keys` (32 each),
   * the signature, the message.
   */
  readonly bytes: Uint8Array<ArrayBuffer>
}

const SIGNATURE_BYTES = 64
const HEAD_BYTES = 4
const PLACE_BYTES = 4

/** Everything in one piece of memory, which can be handed over without a copy. */
export function packSignatures(items: readonly SignatureToVerify[]): SignatureBatch {
  const places = new Map<string, number>()
  let length = 0
  for (const { keys, message } of items)
    length += HEAD_BYTES + PLACE_BYTES * keys.length + SIGNATURE_BYTES + message.length
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { keys, message, signature } of items) {
    view.setUint16(at, message.length)
    view.setUint16(at + 2, keys.length)
    at += HEAD_BYTES
    for (const key of keys) {
      let place = places.get(key)
      if (place === undefined) places.set(key, (place = places.size))
      view.setUint32(at, place)
      at += PLACE_BYTES
    }
    bytes.set(signature, at)
    at += SIGNATURE_BYTES
    bytes.set(message, at)
    at += message.length
  }
  return { keys: [...places.keys()], bytes }
}

/** What was packed, in order. Messages and signatures are views of the batch. */
export function* unpackSignatures({ keys, bytes }: SignatureBatch): Generator<SignatureToVerify> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const take = (start: number, length: number) => bytes.subarray(start, start + length)
  for (let at = 0; at < bytes.length; ) {
    const messageLength = view.getUint16(at)
    const count = view.getUint16(at + 2)
    at += HEAD_BYTES
    const own = Array.from({ length: count }, (_, i) => keys[view.getUint32(at + PLACE_BYTES * i)]!)
    at += PLACE_BYTES * count
    const signature = take(at, SIGNATURE_BYTES)
    at += SIGNATURE_BYTES
    yield { keys: own, signature, message: take(at, messageLength) }
    at += messageLength
  }
}
