import {
  isDidPlc,
  judgeOperation,
  type Operation,
  operationCid,
  PlcError,
  parseOperation,
} from '@imago/identity/plc'
import type { Decision, PlcStore, Receipt, Situation } from './store/plc-store.ts'
import { checkWriteLimits, WriteLimitError } from './write-limits.ts'

export interface SubmitRules {
  /** Whether a DID may change only so often. */
  readonly writeLimits: boolean
  /** Whether the operation may leave its DID without rotation keys, for good. */
  readonly allowFreezing: boolean
  /** Where it comes from may submit so often, and again after this time. Not asked of recoveries. */
  readonly addressLimit?: { readonly max: number; readonly waitMs: number } | undefined
}

/**
 * Takes an operation into the directory. One that is there already is no fault, but a client whose answer got lost.
 * @throws {PlcError} when it may not enter, {@link WriteLimitError} when it may not enter yet.
 */
export async function submitOperation(
  store: PlcStore,
  did: string,
  json: unknown,
  rules: SubmitRules,
): Promise<Receipt> {
  if (!isDidPlc(did)) throw new PlcError('InvalidDid', `Not a did:plc identifier: ${did.slice(0, 100)}`)
  const operation = parseOperation(json, 'ingest', rules)
  return await store.commit(did, (situation) => decide(operation, situation, rules))
}

/** Pure: what becomes of an operation, in a situation. */
export function decide(operation: Operation, { log, createdAt }: Situation, rules: SubmitRules): Decision {
  const cid = operationCid(operation)
  const known = log.entries.find((entry) => entry.cid.equals(cid))
  if (known !== undefined) return { kind: 'known', entry: known }
  const verdict = judgeOperation(log, operation, createdAt)
  const isRecovery = verdict.nullified.length > 0
  if (rules.writeLimits && !isRecovery) checkWriteLimits(log, createdAt)
  if (rules.addressLimit !== undefined && rules.addressLimit.waitMs > 0 && !isRecovery)
    throw new WriteLimitError(
      `Too many operations from your address (max ${rules.addressLimit.max})`,
      rules.addressLimit.max,
      rules.addressLimit.waitMs,
    )
  return { kind: 'accept', verdict }
}
