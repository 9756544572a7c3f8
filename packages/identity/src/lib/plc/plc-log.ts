import type { Cid } from '@imago/data'
import { normalizeOperation, type Operation, type PlcData, rotationKeysOf } from './operation.ts'
import { type DidPlc, didOfGenesis, isDidPlc, operationCid } from './operation-bytes.ts'
import { excerpt, PlcError } from './plc-error.ts'
import { type FindSigner, findSigner } from './signer.ts'

/** For so long after an operation a stronger key may undo it; the last millisecond included. */
export const RECOVERY_WINDOW_MS = 72 * 60 * 60 * 1000

/** An accepted operation and its place in the log. */
export interface LogEntry {
  readonly operation: Operation
  readonly cid: Cid
  /** When the directory took it, in milliseconds since the Unix epoch. Not part of what is signed. */
  readonly createdAt: number
  /** Position of the key that signed it among the rotation keys of its parent (of itself, for a genesis). */
  readonly signer: number
  /** Undone by a later operation; stays in the log. */
  readonly nullified: boolean
}

/** Every operation of one DID, oldest first. Operations enter through {@link acceptOperation} alone. */
export interface PlcLog {
  readonly did: DidPlc
  readonly entries: readonly LogEntry[]
  /** The last operation that is not undone; `undefined` while the log is empty. */
  readonly head: LogEntry | undefined
}

/** What {@link judgeOperation} found: how the log goes on, if the operation is taken. */
export interface Verdict {
  readonly entry: LogEntry
  /** CIDs of the operations that it undoes, oldest first. */
  readonly nullified: readonly Cid[]
}

/**
 * An empty log, or one that {@link acceptOperation} has filled before.
 * @param entries what a store has kept of an accepted log; not judged again.
 * @throws {PlcError} `InvalidDid`.
 */
export function createLog(did: string, entries: readonly LogEntry[] = []): PlcLog {
  if (!isDidPlc(did))
    throw new PlcError(
      'InvalidDid',
      `not a did:plc identifier: ${excerpt(did)} (expected did:plc: and 24 of a-z2-7)`,
    )
  const own = entries.map((entry) => ({ ...entry }))
  // The head is a field: an object with a getter of its own is of a kind of its own to V8, which keeps that kind, and with it
  // the log, until all of memory has been gone through.
  return { did, entries: own, head: own.findLast((entry) => !entry.nullified) }
}

/**
 * Whether an operation may follow what the log holds, without changing the log.
 *
 * Each operation hands its rotation keys to its children. The first child may be signed by any of them; a child that
 * comes later forks the log, must be signed by a key *before* the one that signed the child it undoes, and within 72
 * hours of that one. A single pass over a log, in order, is so the whole of its validation.
 * @param createdAt milliseconds since the Unix epoch, later than the head's.
 * @param find answers what `findSigner` would, for whoever has verified signatures elsewhere before.
 * @throws {PlcError} naming the rule it breaks.
 * @see https://web.plc.directory/spec/v0.1/did-plc#key-rotation--account-recovery
 */
export function judgeOperation(
  log: PlcLog,
  operation: Operation,
  createdAt: number,
  find: FindSigner = findSigner,
): Verdict {
  const { entries, head } = log
  if (head === undefined) return judgeGenesis(log.did, operation, createdAt, find)

  const parentAt = findCurrent(entries, operation.prev)
  const keys = parentAt < 0 ? undefined : rotationKeysOf(entries[parentAt]!.operation)
  if (keys === undefined) throw new PlcError('Misordered', 'Operations not correctly ordered')
  if (!(createdAt > head.createdAt))
    throw new PlcError(
      'InvalidTime',
      `Operation time ${isoTime(createdAt)} is not after the head's, ${isoTime(head.createdAt)}`,
    )

  const undone = entries.slice(parentAt + 1).filter((entry) => !entry.nullified)
  const disputed = undone[0]
  const signer = signerIn(keys, operation, find)
  if (disputed !== undefined && signer >= disputed.signer)
    throw new PlcError('StalePrev', invalidSignature(operation))
  if (disputed !== undefined && createdAt - disputed.createdAt > RECOVERY_WINDOW_MS)
    throw new PlcError(
      'LateRecovery',
      `Recovery operation occurred outside of the allowed 72 hr recovery window. Time lapsed: ${createdAt - disputed.createdAt}`,
    )
  return {
    entry: { operation, cid: operationCid(operation), createdAt, signer, nullified: false },
    nullified: undone.map((entry) => entry.cid),
  }
}

/**
 * Judges an operation and, where it passes, puts it into the log; after a throw the log is as it was.
 * @throws {PlcError} as {@link judgeOperation}.
 */
export function acceptOperation(log: PlcLog, operation: Operation, createdAt: number): Verdict {
  const verdict = judgeOperation(log, operation, createdAt)
  applyVerdict(log, verdict)
  return verdict
}

/** Puts what was judged into the log that it was judged against, for whoever does something in between. */
export function applyVerdict(log: PlcLog, { entry, nullified }: Verdict): void {
  const own = log as Writable<PlcLog>
  const entries = own.entries as Writable<LogEntry>[]
  if (nullified.length > 0) {
    const undone = new Set(nullified.map(String))
    for (const candidate of entries) if (undone.has(candidate.cid.toString())) candidate.nullified = true
  }
  own.head = { ...entry }
  entries.push(own.head)
}

/** One operation as directories list it, `/log/audit` for example. Further fields are kept. */
export interface TimedOperation {
  readonly operation: Operation
  /** ISO 8601, as directories write it; digits behind the milliseconds are dropped. */
  readonly createdAt: string
}

/**
 * Validates a whole log, oldest operation first: every hash, signature, key priority and time.
 * @returns the entries with CID and nullification as they follow from the operations, whatever the input claimed.
 * @throws {PlcError} for the first operation that may not stand where it stands.
 */
export function validateLog<E extends TimedOperation>(
  did: string,
  entries: readonly E[],
): { entries: (E & { cid: string; nullified: boolean })[]; head: Operation | undefined; log: PlcLog } {
  const log = createLog(did)
  for (const { operation, createdAt } of entries) acceptOperation(log, operation, timeOf(createdAt))
  return {
    entries: log.entries.map(({ cid, nullified }, i) => ({ ...entries[i]!, cid: cid.toString(), nullified })),
    head: log.head?.operation,
    log,
  }
}

/** What holds for a DID now. */
export interface PlcState extends PlcData {
  readonly did: DidPlc
}

/** What the head of a log says; `undefined` while the log is empty, and after a tombstone. */
export function stateOf(log: PlcLog): PlcState | undefined {
  const data = log.head === undefined ? undefined : normalizeOperation(log.head.operation)
  return data === undefined ? undefined : { did: log.did, ...data }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function judgeGenesis(did: DidPlc, operation: Operation, createdAt: number, find: FindSigner): Verdict {
  const keys = rotationKeysOf(operation)
  if (operation.prev !== null || keys === undefined)
    throw new PlcError('Misordered', 'Operations not correctly ordered')
  const signer = signerIn(keys, operation, find)
  const computed = didOfGenesis(operation)
  if (computed !== did)
    throw new PlcError(
      'GenesisMismatch',
      `Hash of genesis operation does not match DID identifier: ${computed}`,
    )
  return {
    entry: { operation, cid: operationCid(operation), createdAt, signer, nullified: false },
    nullified: [],
  }
}

function signerIn(keys: readonly string[], operation: Operation, find: FindSigner): number {
  const signer = find(keys, operation)
  if (signer < 0) throw new PlcError('InvalidSignature', invalidSignature(operation))
  return signer
}

/** Position of the operation that `prev` names, among those that are not undone, or -1. Mostly it is the last. */
function findCurrent(entries: readonly LogEntry[], prev: string | null): number {
  return prev === null
    ? -1
    : entries.findLastIndex(({ nullified, cid }) => !nullified && cid.toString() === prev)
}

const invalidSignature = (operation: Operation) => `Invalid signature on op: ${excerpt(operation)}`

function timeOf(text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new PlcError('InvalidTime', `not a time: ${excerpt(text)} (expected 2026-01-31T12:00:00.000Z)`)
  return time
}

const isoTime = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : String(ms))
