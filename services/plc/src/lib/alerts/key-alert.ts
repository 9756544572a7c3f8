import {
  diffData,
  type ExplainedOperation,
  explainLog,
  normalizeOperation,
  type Operation,
  type PlcData,
  siftLog,
} from '@imago/identity/plc'
import { type HistoryEvent, isWithdrawal } from '../history-page.ts'
import { isoTime } from '../http/operation-json.ts'
import type { PlcStore, StoredOperation, Withdrawal } from '../store/plc-store.ts'

/** What changes who rules a DID or where it lives, told so that its owner can act in time. */
export type KeyAlert = OperationAlert | WithdrawalAlert

interface AlertBase {
  readonly did: string
  readonly seq: number
  readonly cid: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly changes: ExplainedOperation['changes']
}

/** An operation of the DID. */
export interface OperationAlert extends AlertBase {
  readonly kind: ExplainedOperation['kind']
  readonly signedBy: ExplainedOperation['signedBy']
  /** CIDs of what it undid. */
  readonly undid: readonly string[]
  /** Keys that can undo it, until `disputableUntil`. */
  readonly strongerKeys: readonly string[]
  readonly disputableUntil: string
}

/** Operations of the DID were withdrawn, and others hold than before. */
export interface WithdrawalAlert extends AlertBase {
  readonly kind: 'withdrawal'
  readonly reason: string
  /** CIDs of what was withdrawn, oldest first. */
  readonly withdrawn: readonly string[]
}

/** What names the DID says nothing of who rules it. */
const HARMLESS: ReadonlySet<string> = new Set(['alias', 'aliases'])

/** The alert for an operation or a notice; `undefined` when it changes neither keys nor services. A new DID is no alarm either. */
export async function alertOf(
  store: Pick<PlcStore, 'operations'>,
  event: HistoryEvent,
): Promise<KeyAlert | undefined> {
  return isWithdrawal(event) ? await alertOfWithdrawal(store, event) : await alertOfOperation(store, event)
}

async function alertOfOperation(
  store: Pick<PlcStore, 'operations'>,
  { did, seq, cid, createdAt }: StoredOperation,
): Promise<OperationAlert | undefined> {
  const told = (await explainStored(store, did)).find(({ entry }) => entry.cid.toString() === cid)
  // Withdrawn meanwhile: the notice has an alert of its own.
  if (told === undefined) return undefined
  const { kind, changes, signedBy, undid, strongerKeys, disputableUntil } = told
  const isHarmless = changes.every(({ what }) => HARMLESS.has(what)) && undid.length === 0
  if (kind === 'genesis' || isHarmless) return undefined
  return {
    did,
    seq,
    cid,
    createdAt: isoTime(createdAt),
    kind,
    changes,
    signedBy,
    undid: undid.map(String),
    strongerKeys,
    disputableUntil: isoTime(disputableUntil),
  }
}

async function alertOfWithdrawal(
  store: Pick<PlcStore, 'operations'>,
  { did, seq, cid, reason, createdAt, operations }: Withdrawal,
): Promise<WithdrawalAlert | undefined> {
  // Whatever held when it came and rested on none of these still holds: the last of these that held was the head.
  const headBefore = operations.findLast(({ nullified }) => !nullified)
  if (headBefore === undefined) return undefined
  const earlier = (await store.operations(did)).filter((one) => one.seq < seq)
  const headAfter = standingLog(did, earlier).head?.operation
  const changes = diffData(dataOf(headBefore), headAfter && normalizeOperation(headAfter))
  if (changes.every(({ what }) => HARMLESS.has(what))) return undefined
  const withdrawn = operations.map((one) => one.cid)
  return { did, seq, cid, createdAt: isoTime(createdAt), kind: 'withdrawal', changes, reason, withdrawn }
}

const dataOf = ({ json }: StoredOperation): PlcData | undefined =>
  normalizeOperation(JSON.parse(json) as Operation)

/** The history of a DID with its reasons, oldest first; empty when nobody has registered it. */
export async function explainStored(
  store: Pick<PlcStore, 'operations'>,
  did: string,
): Promise<readonly ExplainedOperation[]> {
  const operations = await store.operations(did)
  return operations.length === 0 ? [] : explainLog(standingLog(did, operations))
}

/** What laxer versions have taken and today's rules do not explain is for a withdrawal to tell of. */
const standingLog = (did: string, operations: readonly StoredOperation[]) =>
  siftLog(
    did,
    operations.map(({ json, createdAt }) => ({ operation: JSON.parse(json), createdAt })),
  ).log
