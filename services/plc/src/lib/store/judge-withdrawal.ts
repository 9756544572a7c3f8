import { type LogEntry, normalizeOperation, type PlcError, siftLog } from '@imago/identity/plc'
import type { NumberedLog } from './judge-batch.ts'
import { WithdrawalError } from './withdrawal-error.ts'

/** An operation that stood, and may not. */
export interface Fallen {
  readonly seq: number
  readonly entry: LogEntry
  readonly error: PlcError
}

/** What becomes of a DID when an operation of it is withdrawn. */
export interface WithdrawalVerdict {
  /** The operation that was named, and all that fall with it. Oldest first. */
  readonly fallen: readonly Fallen[]
  /** What stands, each entry with the flags that follow from that. */
  readonly left: NumberedLog
  /** Of what stands: what was undone, and holds again, or the other way round. */
  readonly changed: readonly { readonly seq: number; readonly nullified: boolean; readonly signer: number }[]
}

/**
 * Whether an operation may be withdrawn, and what follows. The history is replayed under today's rules: the operation
 * has to be the first that may not stand, so that for each state of a DID there is one notice and no other, and whoever
 * has the log can tell which. Pure.
 * @throws {WithdrawalError}
 */
export function judgeWithdrawal({ log, seqs }: NumberedLog, cid: string): WithdrawalVerdict {
  const entries = log.entries
  const named = entries.find((entry) => entry.cid.toString() === cid)
  if (named === undefined)
    throw new WithdrawalError('NotFound', `${log.did} has no operation ${cid.slice(0, 100)}`)
  const { refused, standing, log: left } = siftLog(log.did, entries)
  if (!refused.some(({ entry }) => entry === named))
    throw new WithdrawalError('Valid', `Operation ${cid} is valid, and stays: ${whyValid(named, entries)}`)
  const first = refused[0]!
  if (first.entry !== named)
    throw new WithdrawalError(
      'NotFirst',
      `Operation ${cid} falls with ${first.entry.cid}, which is the first of ${log.did} that may not stand (${first.error.code}): withdraw that one`,
    )
  const seqOf = (entry: LogEntry) => seqs.get(entry.cid.toString())!
  return {
    fallen: refused.map(({ entry, error }) => ({ seq: seqOf(entry), entry, error })),
    left: {
      log: left,
      seqs: new Map(standing.map((entry) => [entry.cid.toString(), seqOf(entry)])),
    },
    changed: standing.flatMap((before, i) => {
      const { nullified, signer } = left.entries[i]!
      const isSame = nullified === before.nullified && signer === before.signer
      return isSame ? [] : [{ seq: seqOf(before), nullified, signer }]
    }),
  }
}

/** The rule by which it stands. */
function whyValid({ operation, signer }: LogEntry, entries: readonly LogEntry[]): string {
  const parent = entries.find(({ cid }) => cid.toString() === operation.prev)
  const keys = normalizeOperation((parent ?? { operation }).operation)?.rotationKeys ?? []
  const whose = parent === undefined ? 'its own, and it hashes to the DID' : `those of ${operation.prev}`
  return `it is signed by rotation key ${signer + 1} of ${keys.length} of ${whose}`
}
