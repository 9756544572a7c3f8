import { type Cid, cidOfDrisl, type DataMap, encode } from '@imago/data'
import { fromBase64url, toBase32 } from '@imago/data/multibase'
import { sha256 } from '@imago/data/sha256'
import type { Did } from '@imago/syntax'
import type { Operation, Unsigned } from './operation.ts'
import { PlcError } from './plc-error.ts'

/** A did:plc identifier. */
export type DidPlc = Did<'plc'>

const DID_PLC = /^did:plc:[a-z2-7]{24}$/

/** Whether a value is a did:plc identifier: 24 characters of lower-case base32. */
export function isDidPlc(value: unknown): value is DidPlc {
  return typeof value === 'string' && DID_PLC.test(value)
}

/** The DAG-CBOR of an operation without its `sig`: what is signed. */
export function unsignedBytes(operation: Unsigned): Uint8Array {
  const { sig: _, ...unsigned } = operation as Operation
  return encode(unsigned as unknown as DataMap)
}

const SIG_KEY = Uint8Array.of(0x63, 0x73, 0x69, 0x67)

/**
 * The DAG-CBOR of a signed operation, made from what was signed. `sig` is the only key of three letters, so it is the
 * first of the map: the bytes differ by the count in the head and by one entry behind it.
 */
export function spliceSignature(unsigned: Uint8Array, sig: string): Uint8Array {
  const text = new TextEncoder().encode(sig)
  const head = textHead(text.length)
  const signed = new Uint8Array(unsigned.length + SIG_KEY.length + head.length + text.length)
  signed[0] = unsigned[0]! + 1
  signed.set(SIG_KEY, 1)
  signed.set(head, 1 + SIG_KEY.length)
  signed.set(text, 1 + SIG_KEY.length + head.length)
  signed.set(unsigned.subarray(1), 1 + SIG_KEY.length + head.length + text.length)
  return signed
}

function textHead(length: number): number[] {
  if (length < 24) return [0x60 + length]
  if (length < 0x100) return [0x78, length]
  return [0x79, length >> 8, length & 0xff]
}

/** The DAG-CBOR of a signed operation: what its CID and, for a genesis, its DID are the hash of. */
export function operationBytes(operation: Operation): Uint8Array {
  return spliceSignature(unsignedBytes(operation), operation.sig)
}

/** The CID by which the next operation names this one in `prev`. */
export function operationCid(operation: Operation): Cid {
  return cidOfDrisl(operationBytes(operation))
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
  return didOfGenesisBytes(operationBytes(operation))
}

export function didOfGenesisBytes(signed: Uint8Array): DidPlc {
  return `did:plc:${toBase32(sha256(signed)).slice(0, 24)}`
}

// 64 bytes are 85 characters and 4 bits: the last character has only four spellings. Said here because the lenient
// decoders of the platform take padding, spaces and stray bits, and each leniency is another CID for the same operation.
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/

/** The 64 bytes of a `sig`, or `undefined` where it is not their one canonical spelling. */
export function decodeSignature(sig: string): Uint8Array | undefined {
  return SIGNATURE.test(sig) ? fromBase64url(sig) : undefined
}
