import type { Operation } from './operation.ts'
import { decodeSignature, unsignedBytes } from './operation-bytes.ts'
import { likeliestSigner, openRotationKey, remember } from './rotation-key.ts'
import { borrowBytes } from './small-bytes.ts'

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
 *
 * The one that is likeliest to have signed is tried first. The answer is the same in any order: a signature that holds for two
 * different keys is as hard to make as a forged one, and a key has only one spelling.
 * @param keys `did:key`s; what is none, or of another curve, signs nothing.
 */
export function findSignerOfBytes(keys: readonly string[], signed: SignedBytes): number {
  if (keys.length === 0) return -1
  const likeliest = likeliestSigner(keys)
  if (hasSigned(likeliest, signed)) return keys.indexOf(likeliest)
  return keys.findIndex((text) => text !== likeliest && hasSigned(text, signed))
}

function hasSigned(text: string, { message, signature }: SignedBytes): boolean {
  const is = openRotationKey(text)?.verify(message, signature) ?? false
  remember(text, is)
  return is
}

/** As {@link findSignerOfBytes}, of an operation. */
export const findSigner: FindSigner = (keys, operation) => {
  const signature = decodeSignature(operation.sig)
  if (signature === undefined) return -1
  return findSignerOfBytes(keys, { message: unsignedBytes(operation, borrowBytes), signature })
}
