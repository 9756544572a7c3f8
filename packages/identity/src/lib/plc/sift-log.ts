import { parseOperation } from './parse-operation.ts'
import { PlcError } from './plc-error.ts'
import { acceptOperation, createLog, type PlcLog } from './plc-log.ts'

/** An operation of a history that nobody has judged yet. */
export interface UnjudgedOperation {
  /** As JSON, or parsed. */
  readonly operation: unknown
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number
}

/** What is left of a history, and what is not. */
export interface SiftedLog<E> {
  /** What stands: each operation of it follows from those before it. */
  readonly log: PlcLog
  /** The entries of `log`, as they were given. */
  readonly standing: readonly E[]
  /** What may not stand, oldest first. What rested on one of these is among them. */
  readonly refused: readonly { readonly entry: E; readonly error: PlcError }[]
}

/**
 * Replays a history that was taken under other rules than today's: what may not stand is left out, and everything behind
 * it is judged as if it had never been. What it had undone holds again; what followed it, or owes its place to it, falls
 * with it.
 * @param entries oldest first.
 * @throws {PlcError} `InvalidDid`. Nothing else of it is thrown: `refused` says it.
 */
export function siftLog<E extends UnjudgedOperation>(did: string, entries: readonly E[]): SiftedLog<E> {
  const log = createLog(did)
  const standing: E[] = []
  const refused: { entry: E; error: PlcError }[] = []
  for (const entry of entries)
    try {
      acceptOperation(log, parseOperation(entry.operation, 'replay'), entry.createdAt)
      standing.push(entry)
    } catch (error) {
      if (!(error instanceof PlcError)) throw error
      refused.push({ entry, error })
    }
  return { log, standing, refused }
}
