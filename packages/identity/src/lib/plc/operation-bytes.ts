import { type Cid, cidOfDrisl, DataError, type DataMap, encode } from '@imago/data'
import { fromBase64url, toBase32 } from '@imago/data/multibase'
import type { Did } from '@imago/syntax'
import type { Operation, Unsigned } from './operation.ts'
import { PlcError } from './plc-error.ts'
import { takeBytes } from './small-bytes.ts'

/** A did:plc identifier. */
export type DidPlc = Did<'plc'>

const DID_PLC = /^did:plc:[a-z2-7]{24}$/

/** Whether a value is a did:plc identifier: 24 characters of lower-case base32. */
export function isDidPlc(value: unknown): value is DidPlc {
  return typeof value === 'string' && DID_PLC.test(value)
}

/** Whose constructor gives back what it was given, so that a class below it adds its private fields to that. */
class Stamped {
  constructor(it: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return it
  }
}

/**
 * What is known of an operation that does not change any more: it would be encoded and hashed four times on its way into
 * a directory. A private field of the operation itself, which nothing lists or copies; a `WeakMap` costs the collector of
 * garbage more than the encoding.
 */
class Seal extends Stamped {
  /** The DAG-CBOR. A copy: what `encode` gives shares a large piece of memory, and would keep it. */
  readonly #signed: Uint8Array
  #cid: Cid | undefined

  constructor(operation: Operation, signed: Uint8Array) {
    super(operation)
    this.#signed = signed
  }

  static bytesOf(operation: Unsigned): Uint8Array | undefined {
    return #signed in operation ? operation.#signed : undefined
  }

  static cidOf(operation: Unsigned): Cid | undefined {
    return #signed in operation ? (operation.#cid ??= cidOfDrisl(operation.#signed)) : undefined
  }
}

/**
 * Keeps the bytes of an operation with it, and freezes its fields; what they hold is only read by everybody who keeps to
 * the types. @throws what `encode` throws.
 */
export function sealOperation(operation: Operation): Operation {
  const signed = encode(operation as unknown as DataMap)
  const own = takeBytes(signed.length)
  own.set(signed)
  new Seal(operation, own)
  return Object.freeze(operation)
}

/**
 * The DAG-CBOR of an operation without its `sig`: what is signed.
 * @param take where they go, if they have to be made anew.
 */
export function unsignedBytes(operation: Unsigned, take = takeBytes): Uint8Array {
  const signed = Seal.bytesOf(operation)
  if (signed !== undefined) return cutSignature(signed, take)
  const { sig: _, ...unsigned } = operation as Operation
  return encode(unsigned as unknown as DataMap)
}

/** In front of `sig`, the only key of three letters and so the first of the map: the map's own head, and the key. */
const SIG_AT = 1 + 4

/**
 * The bytes that were signed, out of those of the signed operation: these differ by the count in the head and by the
 * one entry behind it.
 */
function cutSignature(signed: Uint8Array, take: typeof takeBytes): Uint8Array {
  const start = textEnd(signed, SIG_AT) - 1
  const unsigned = take(signed.length - start)
  unsigned.set(signed.subarray(start))
  unsigned[0] = signed[0]! - 1
  return unsigned
}

/** Where a text ends that begins at `at`. Long ones have their length in one or two bytes of its own. */
function textEnd(bytes: Uint8Array, at: number): number {
  const short = bytes[at]! & 0x1f
  if (short < 24) return at + 1 + short
  if (short === 24) return at + 2 + bytes[at + 1]!
  return at + 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!)
}

/** The DAG-CBOR of a signed operation: what its CID and, for a genesis, its DID are the hash of. */
export function operationBytes(operation: Operation): Uint8Array {
  return Seal.bytesOf(operation) ?? encode(operation as unknown as DataMap)
}

/** The CID by which the next operation names this one in `prev`. */
export function operationCid(operation: Operation): Cid {
  return Seal.cidOf(operation) ?? cidOfDrisl(operationBytes(operation))
}

/**
 * The DID that a genesis operation creates: 24 characters of the base32 of its hash. The signature is hashed too, so
 * another valid signature of the same contents creates another DID.
 * @throws {PlcError} `Misordered` when the operation follows another one.
 * @see https://web.plc.directory/spec/v0.1/did-plc#did-creation
 */
export function didOfGenesis(operation: Operation): DidPlc {
  if (operation.prev !== null)
    throw new PlcError('Misordered', `a genesis operation has prev null, not ${operation.prev}`)
  return `did:plc:${toBase32(operationCid(operation).digest).slice(0, 24)}`
}

const SIGNATURE_CHARACTERS = 86

/**
 * The 64 bytes of a `sig`, or `undefined` where it is not their one canonical spelling: unpadded, and without stray bits in
 * its last character. Lenient decoders, such as those of platforms, would make of each leniency another CID for the same
 * operation.
 */
export function decodeSignature(sig: string): Uint8Array | undefined {
  if (sig.length !== SIGNATURE_CHARACTERS) return undefined
  try {
    return fromBase64url(sig)
  } catch (error) {
    if (error instanceof DataError) return undefined
    throw error
  }
}
