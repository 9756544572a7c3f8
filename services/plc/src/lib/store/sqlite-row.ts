import { cidFromDigest, DRISL_CODEC } from '@imago/data'
import { fromBase32, toBase32 } from '@imago/data/multibase'
import { isDidPlc } from '@imago/identity/plc'
import type { OperationRow } from './judge-batch.ts'

/** A row of the file: names in binary, at half the bytes of their text. */
export interface SqliteRow {
  seq: number
  did: Uint8Array
  cid: Uint8Array
  json: string
  signer: number
  nullified: number
  created_at: number
}

const PREFIX = 'did:plc:'
const DID_BYTES = 15

/** The 15 bytes that a DID is the base32 of; `undefined` for text that is no did:plc, which no row has. */
export function didBytes(did: string): Uint8Array | undefined {
  return isDidPlc(did) ? fromBase32(did.slice(PREFIX.length)) : undefined
}

export function didOf(bytes: Uint8Array): string {
  if (bytes.length !== DID_BYTES) throw new Error(`a DID of ${bytes.length} bytes: the database is damaged`)
  return PREFIX + toBase32(bytes)
}

/** Of the CID of an operation, whose codec is always the same. */
export const cidOfDigest = (digest: Uint8Array): string => cidFromDigest(DRISL_CODEC, digest).toString()

export function rowOf({ seq, did, cid, json, signer, nullified, created_at }: SqliteRow): OperationRow {
  return {
    seq,
    did: didOf(did),
    cid: cidOfDigest(cid),
    json,
    signer,
    nullified: nullified === 1,
    created_at,
  }
}
