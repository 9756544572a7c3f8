import { Cid, type DataMap, decode, encode } from '@imago/data'
import { type DidPlc, isDidPlc, type Operation, operationBytes } from '@imago/identity/plc'

/** The one form of entries so far. */
const VERSION = 1

/** One accepted operation as the transparency log keeps it. Whether it was undone later is for replay to find out. */
export interface PlcLogEntry {
  readonly did: DidPlc
  readonly cid: Cid
  /** DAG-CBOR of the signed operation: its CID is the hash of them. */
  readonly operation: Uint8Array
  /** When the directory took it, in milliseconds since the Unix epoch. In the log, nobody can change it later. */
  readonly createdAt: number
  /** In the log of an observer: the sequence number that the observed directory gave it. */
  readonly upstreamSeq?: number
}

/** The bytes of an entry: DAG-CBOR of `{ v, did, cid, op, t }`, in an observer's log with `seq`. */
export function encodeLogEntry({ did, cid, operation, createdAt, upstreamSeq }: PlcLogEntry): Uint8Array {
  return encode({
    v: VERSION,
    did,
    cid,
    op: operation,
    t: createdAt,
    ...(upstreamSeq !== undefined && { seq: upstreamSeq }),
  })
}

/** The entry that an operation becomes. */
export const logEntryOf = (
  accepted: Omit<PlcLogEntry, 'operation'> & { readonly operation: Operation },
): PlcLogEntry => ({ ...accepted, operation: operationBytes(accepted.operation) })

/** @throws {TypeError} when the bytes are no such entry; what `decode` throws. */
export function decodeLogEntry(bytes: Uint8Array): PlcLogEntry {
  const { v, did, cid, op, t, seq, ...others } = decode(bytes) as DataMap
  const isEntry =
    v === VERSION &&
    isDidPlc(did) &&
    cid instanceof Cid &&
    op instanceof Uint8Array &&
    Number.isSafeInteger(t) &&
    (seq === undefined || Number.isSafeInteger(seq)) &&
    Object.keys(others).length === 0
  if (!isEntry) throw new TypeError('the bytes are not an entry of a PLC log, or of a later version')
  return {
    did,
    cid,
    operation: op,
    createdAt: t as number,
    ...(seq !== undefined && { upstreamSeq: seq as number }),
  }
}
