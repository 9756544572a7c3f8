import { decode, equalBytes } from '@imago/data'
import { operationBytes, operationCid, parseOperation } from '@imago/identity/plc'
import type { Replayed, ReplayedNotice } from '../store/plc-store.ts'
import { decodeLogEntry, type OperationEntry, type PlcLogEntry } from '../transparency/log-entry.ts'
import { SnapshotError } from './snapshot-client.ts'

/** A notice as it stands in a log. */
export type EnteredNotice = Omit<ReplayedNotice, 'told'>

/** An entry whose operation nobody can read. */
export interface UnreadableEntry {
  readonly did: string
  readonly seq: number
  readonly json: string
  readonly reason: string
}

/**
 * Reads an entry of an upstream's log. An operation that cannot be read is the upstream's fault, and kept as evidence.
 * @param index of the entry: where it does not say its number, the log is the directory's own, and numbers follow it.
 * @throws {SnapshotError} for an entry that this version knows nothing of: whoever left it out would have another history.
 */
export function readEntry(bytes: Uint8Array, index: number): Replayed | EnteredNotice | UnreadableEntry {
  const entry = entryOf(bytes, index)
  const { did, createdAt, upstreamSeq } = entry
  const seq = upstreamSeq ?? index + 1
  if (entry.kind === 'withdrawal')
    return { did, seq, createdAt, cid: entry.cid.toString(), reason: entry.reason }
  try {
    return { did, seq, createdAt, operation: operationOf(entry) }
  } catch (error) {
    return { did, seq, json: JSON.stringify({ entry: bytes.toBase64() }), reason: (error as Error).message }
  }
}

function entryOf(bytes: Uint8Array, index: number): PlcLogEntry {
  try {
    return decodeLogEntry(bytes)
  } catch (error) {
    throw new SnapshotError(
      `entry ${index} is of a kind that is not known here (${(error as Error).message}): a later version may know it`,
      { cause: error },
    )
  }
}

function operationOf({ operation: bytes, cid }: OperationEntry) {
  const operation = parseOperation(decode(bytes), 'replay')
  if (!equalBytes(operationBytes(operation), bytes))
    throw new TypeError('its operation is not in its canonical form')
  if (!operationCid(operation).equals(cid)) throw new TypeError(`its operation does not have the CID ${cid}`)
  return operation
}
