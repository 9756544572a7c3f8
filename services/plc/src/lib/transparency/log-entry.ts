import { Cid, type DataMap, decode, encode } from '@imago/data'
import { type DidPlc, isDidPlc, type Operation, operationBytes } from '@imago/identity/plc'

/** The one form of entries so far. */
const VERSION = 1

/** Longest reason of a withdrawal, in UTF-16 units. */
export const MAX_REASON_LENGTH = 500

/** What the transparency log keeps: every operation that was taken and, later, which of them never should have been. */
export type PlcLogEntry = OperationEntry | WithdrawalEntry

interface EntryBase {
  readonly did: DidPlc
  readonly cid: Cid
  /** When the directory took it, in milliseconds since the Unix epoch. In the log, nobody can change it later. */
  readonly createdAt: number
  /** In the log of an observer: the sequence number that the observed directory gave it. */
  readonly upstreamSeq?: number
}

/** One accepted operation. Whether it was undone later is for replay to find out. */
export interface OperationEntry extends EntryBase {
  readonly kind: 'operation'
  /** DAG-CBOR of the signed operation: its CID is the hash of them. */
  readonly operation: Uint8Array
}

/** A notice that the operation `cid` may not stand. What falls with it is for replay to find out. */
export interface WithdrawalEntry extends EntryBase {
  readonly kind: 'withdrawal'
  readonly reason: string
}

const WITHDRAWAL_TYPE = 'withdrawal'

/**
 * The bytes of an entry: DAG-CBOR of `{ v, did, cid, op, t }` for an operation, of `{ v, type: 'withdrawal', did, cid,
 * reason, t }` for a notice; in an observer's log with `seq`.
 */
export function encodeLogEntry(entry: PlcLogEntry): Uint8Array {
  const { did, cid, createdAt, upstreamSeq } = entry
  return encode({
    v: VERSION,
    did,
    cid,
    t: createdAt,
    ...(entry.kind === 'operation'
      ? { op: entry.operation }
      : { type: WITHDRAWAL_TYPE, reason: entry.reason }),
    ...(upstreamSeq !== undefined && { seq: upstreamSeq }),
  })
}

/** The entry that an operation becomes. */
export const logEntryOf = (
  accepted: Omit<OperationEntry, 'kind' | 'operation'> & { readonly operation: Operation },
): OperationEntry => ({ ...accepted, kind: 'operation', operation: operationBytes(accepted.operation) })

/** @throws {TypeError} when the bytes are no such entry; what `decode` throws. */
export function decodeLogEntry(bytes: Uint8Array): PlcLogEntry {
  const { v, did, cid, op, t, seq, type, reason, ...others } = decode(bytes) as DataMap
  const isEntry =
    v === VERSION &&
    isDidPlc(did) &&
    cid instanceof Cid &&
    Number.isSafeInteger(t) &&
    (seq === undefined || Number.isSafeInteger(seq)) &&
    Object.keys(others).length === 0
  if (!isEntry) throw notAnEntry()
  const base = {
    did,
    cid,
    createdAt: t as number,
    ...(seq !== undefined && { upstreamSeq: seq as number }),
  }
  if (op instanceof Uint8Array && type === undefined && reason === undefined)
    return { ...base, kind: 'operation', operation: op }
  if (type === WITHDRAWAL_TYPE && isReason(reason) && op === undefined)
    return { ...base, kind: 'withdrawal', reason }
  throw notAnEntry()
}

const notAnEntry = () => new TypeError('the bytes are not an entry of a PLC log, or of a later version')

/** Whether text can stand as the reason of a withdrawal: short, and of one line. */
export const isReason = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.trim() !== '' &&
  value.length <= MAX_REASON_LENGTH &&
  value.isWellFormed() &&
  !/\p{Cc}/u.test(value)
