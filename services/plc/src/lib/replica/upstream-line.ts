import { isDidPlc, PlcError, parseOperation } from '@imago/identity/plc'
import type { Replayed } from '../store/plc-store.ts'

/** A line of an export by sequence, or a frame of the stream, that cannot be taken for an operation. */
export interface UnreadableLine {
  readonly did: string
  readonly seq: number
  readonly text: string
  readonly reason: string
}

/** Longest text that is kept of a line nobody can read. */
const MAX_KEPT_CHARACTERS = 20_000

/** Reads one line. What cannot be read is not thrown: it is the upstream's fault, and kept as evidence. */
export function readUpstreamLine(text: string): Replayed | UnreadableLine {
  const unreadable = (
    reason: string,
    { did, seq }: { did?: unknown; seq?: unknown } = {},
  ): UnreadableLine => ({
    did: typeof did === 'string' ? did.slice(0, 100) : '',
    seq: Number.isSafeInteger(seq) ? (seq as number) : 0,
    text: text.slice(0, MAX_KEPT_CHARACTERS),
    reason,
  })
  let line: { type?: unknown; did?: unknown; seq?: unknown; createdAt?: unknown; operation?: unknown } | null
  try {
    line = JSON.parse(text)
  } catch {
    return unreadable('it is not JSON')
  }
  if (line === null || typeof line !== 'object') return unreadable('it is not an object')
  const { did, seq, createdAt, operation } = line
  if (!isDidPlc(did)) return unreadable('its did is not a did:plc', line)
  if (!Number.isSafeInteger(seq) || (seq as number) < 1)
    return unreadable('its seq is not a number of an operation', line)
  const time = typeof createdAt === 'string' ? Date.parse(createdAt) : Number.NaN
  if (Number.isNaN(time)) return unreadable('its createdAt is not a time', line)
  try {
    return { did, seq: seq as number, createdAt: time, operation: parseOperation(operation, 'replay') }
  } catch (error) {
    if (error instanceof PlcError) return unreadable(error.message, line)
    throw error
  }
}

export const isUnreadable = (line: Replayed | UnreadableLine): line is UnreadableLine => 'reason' in line
