import { type ExplainedOperation, explainLog, parseOperation, validateLog } from '@imago/identity/plc'
import { isoTime } from '../http/operation-json.ts'
import type { PlcStore, StoredOperation } from '../store/plc-store.ts'

/** An operation that changes who rules a DID or where it lives, told so that its owner can act in time. */
export interface KeyAlert {
  readonly did: string
  readonly seq: number
  readonly cid: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly kind: ExplainedOperation['kind']
  readonly changes: ExplainedOperation['changes']
  readonly signedBy: ExplainedOperation['signedBy']
  /** CIDs of what it undid. */
  readonly undid: readonly string[]
  /** Keys that can undo it, until `disputableUntil`. */
  readonly strongerKeys: readonly string[]
  readonly disputableUntil: string
}

/** What names the DID says nothing of who rules it. */
const HARMLESS: ReadonlySet<string> = new Set(['alias', 'aliases'])

/** The alert for an operation; `undefined` when it changes neither keys nor services. A new DID is no alarm either. */
export async function alertOf(
  store: Pick<PlcStore, 'operations'>,
  { did, seq, cid, createdAt }: StoredOperation,
): Promise<KeyAlert | undefined> {
  const told = (await explainStored(store, did)).find(({ entry }) => entry.cid.toString() === cid)!
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

/** The history of a DID with its reasons, oldest first; empty when nobody has registered it. */
export async function explainStored(
  store: Pick<PlcStore, 'operations'>,
  did: string,
): Promise<readonly ExplainedOperation[]> {
  const operations = await store.operations(did)
  if (operations.length === 0) return []
  const { log } = validateLog(
    did,
    operations.map(({ json, createdAt }) => ({
      operation: parseOperation(JSON.parse(json), 'replay'),
      createdAt: isoTime(createdAt),
    })),
  )
  return explainLog(log)
}
