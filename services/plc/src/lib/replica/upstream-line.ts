import { tryParseCid } from '@imago/data'
import {
  type DidPlc,
  isDidPlc,
  type Operation,
  operationCid,
  PlcError,
  parseOperation,
} from '@imago/identity/plc'
import type { AsideOperation, Replayed, ReplayedNotice } from '../store/plc-store.ts'
import { isReason } from '../transparency/log-entry.ts'

/** A line of an export by sequence, or a frame of the stream, that cannot be taken for an operation. */
export interface UnreadableLine {
  readonly did: string
  readonly seq: number
  readonly text: string
  readonly reason: string
}

/** Longest text that is kept of a line nobody can read. */
const MAX_KEPT_CHARACTERS = 20_000

type Json = Readonly<Record<string, unknown>>

/**
 * Reads one line: an operation or, from directories that tell them, a notice. What cannot be read is not thrown: it is the
 * upstream's fault, and kept as evidence.
 */
export function readUpstreamLine(text: string): Replayed | ReplayedNotice | UnreadableLine {
  const unreadable = (reason: string, { did, seq }: Json = {}): UnreadableLine => ({
    did: typeof did === 'string' ? did.slice(0, 100) : '',
    seq: Number.isSafeInteger(seq) ? (seq as number) : 0,
    text: text.slice(0, MAX_KEPT_CHARACTERS),
    reason,
  })
  let line: Json | null
  try {
    line = JSON.parse(text)
  } catch {
    return unreadable('it is not JSON')
  }
  if (line === null || typeof line !== 'object') return unreadable('it is not an object')
  const { type, did, operation } = line
  if (!isDidPlc(did)) return unreadable('its did is not a did:plc', line)
  const place = placeOf(line)
  if (typeof place === 'string') return unreadable(place, line)
  if (type === 'withdrawal') return readNotice(line, did, place) ?? unreadable('it is not a notice', line)
  try {
    return { did, ...place, operation: parseOperation(operation, 'replay') }
  } catch (error) {
    if (error instanceof PlcError) return unreadable(error.message, line)
    throw error
  }
}

type Place = Pick<Replayed, 'seq' | 'createdAt'>

/** Number and time, or what is wrong with them. */
function placeOf({ seq, createdAt }: Json): Place | string {
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) return 'its seq is not a number of an operation'
  const time = typeof createdAt === 'string' ? Date.parse(createdAt) : Number.NaN
  return Number.isNaN(time) ? 'its createdAt is not a time' : { seq: seq as number, createdAt: time }
}

function readNotice(
  { cid, reason, operations }: Json,
  did: DidPlc,
  place: Place,
): ReplayedNotice | undefined {
  if (tryParseCid(cid) === undefined || !isReason(reason)) return undefined
  const told = Array.isArray(operations) ? operations.flatMap((one: Json) => readTold(one, did)) : []
  return { did, ...place, cid: cid as string, reason, told }
}

/** What an upstream tells to have withdrawn: kept to be looked at, and believed in nothing. What cannot be kept is left out. */
function readTold(one: Json | null, did: DidPlc): AsideOperation[] {
  if (one === null || typeof one !== 'object') return []
  const { operation, nullified, rule } = one
  const place = placeOf(one)
  if (typeof place === 'string' || typeof operation !== 'object' || operation === null) return []
  try {
    const cid = operationCid(operation as Operation).toString()
    const known = isRule(rule) ? rule : 'InvalidOperation'
    const json = JSON.stringify(operation)
    return [
      {
        ...place,
        did,
        cid,
        json,
        nullified: nullified === true,
        rule: known,
        fault: 'as the upstream tells',
      },
    ]
  } catch {
    return []
  }
}

const isRule = (value: unknown): value is AsideOperation['rule'] =>
  typeof value === 'string' && /^[A-Z][A-Za-z]{1,40}$/.test(value)

export const isUnreadable = (line: Replayed | ReplayedNotice | UnreadableLine): line is UnreadableLine =>
  'text' in line
