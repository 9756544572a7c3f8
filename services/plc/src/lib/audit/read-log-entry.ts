import { type DataMap, decode, encode, equalBytes } from '@imago/data'
import { type Operation, operationBytes, operationCid, PlcError, parseOperation } from '@imago/identity/plc'
import type { Replayed, ReplayedNotice } from '../store/plc-store.ts'
import { decodeLogEntry, encodeLogEntry, type OperationEntry } from '../transparency/log-entry.ts'

/** An operation of the log, to be judged. */
export interface ToJudge extends Replayed {
  /** Its form is none that today's rules know: it can only be set aside. */
  readonly fault?: PlcError
}

/**
 * An entry of a log, as it is replayed.
 * @param index of the entry: where it does not say its number, numbers follow it.
 * @throws {Error} that says why the bytes are no entry.
 */
export function readLogEntry(bytes: Uint8Array, index: number): ToJudge | ReplayedNotice {
  const entry = decodeLogEntry(bytes)
  if (!equalBytes(encodeLogEntry(entry), bytes)) throw new TypeError('it is not in its canonical form')
  const { did, cid, createdAt, upstreamSeq } = entry
  const place = { did, createdAt, seq: upstreamSeq ?? index + 1 }
  if (entry.kind === 'withdrawal') return { ...place, cid: cid.toString(), reason: entry.reason, told: [] }
  const read = operationOf(entry)
  if (!operationCid(read.operation).equals(cid))
    throw new TypeError(`its operation does not have the CID ${cid}`)
  return { ...place, ...read }
}

function operationOf({ operation: bytes }: OperationEntry): Pick<ToJudge, 'operation' | 'fault'> {
  const value = decode(bytes)
  let read: Pick<ToJudge, 'operation' | 'fault'>
  try {
    read = { operation: parseOperation(value, 'replay') }
  } catch (error) {
    if (!(error instanceof PlcError)) throw error
    // As a directory would keep it that had taken it: as JSON.
    const operation = JSON.parse(JSON.stringify(value)) as Operation
    if (!equalBytes(encode(operation as unknown as DataMap), bytes)) throw error
    return { operation, fault: error }
  }
  if (!equalBytes(operationBytes(read.operation), bytes))
    throw new TypeError('its operation is not in its canonical form')
  return read
}
