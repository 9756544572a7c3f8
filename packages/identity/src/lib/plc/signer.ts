import { verifySignature } from '@imago/crypto'
import type { Operation } from './operation.ts'
import { decodeSignature, unsignedBytes } from './operation-bytes.ts'
import { openRotationKey } from './rotation-key.ts'

/** What a signature is judged by, apart from the keys: small enough to send to another thread. */
export interface SignedBytes {
  /** The DAG-CBOR of the operation without `sig`. */
  readonly message: Uint8Array
  /** 64 bytes, r‖s. */
  readonly signature: Uint8Array
}

/** Position of the first of the keys that signed, or -1: the part of the judgement that takes time. */
export type FindSigner = (keys: readonly string[], operation: Operation) => number

/** Of an operation; `undefined` where its `sig` is no signature in its one canonical spelling. */
export function signedBytesOf(operation: Operation): SignedBytes | undefined {
  const signature = decodeSignature(operation.sig)
  return signature && { message: unsignedBytes(operation), signature }
}

/**
 * Position of the first of the keys that signed; -1 when none did. Of a key that stands twice the first place counts:
 * searching from the end would let a key undo what it signed itself.
 * @param keys `did:key`s; what is none, or of another curve, signs nothing.
 */
export function findSignerOfBytes(keys: readonly string[], { message, signature }: SignedBytes): number {
  return keys.findIndex((text) => {
    const key = openRotationKey(text)
    return key !== undefined && verifySignature(key, message, signature)
  })
}

/** As {@link findSignerOfBytes}, of an operation. */
export const findSigner: FindSigner = (keys, operation) => {
  const signed = signedBytesOf(operation)
  return signed === undefined ? -1 : findSignerOfBytes(keys, signed)
}
