import { equalBytes } from '@imago/data'
import { acceptOperation, createLog, operationCid, PlcError } from '@imago/identity/plc'
import {
  type Checkpoint,
  checkTrust,
  createTileHashSource,
  hashLeaf,
  MissingTileError,
  parseCheckpoint,
  parseTlogProof,
  proveConsistency,
  TlogError,
  type TrustPolicy,
  tilePath,
  treeRoot,
  verifyConsistency,
  verifyTlogProof,
} from '@imago/tlog'
import { decodeLogEntry, type PlcLogEntry } from '../transparency/log-entry.ts'
import type { AuditAlarm, AuditEvidence } from './audit-alarm.ts'
import { readLogEntry } from './read-log-entry.ts'

/** The file that is kept of an alarm. */
export function evidenceOf(alarm: AuditAlarm, log: string, foundAtMs: number): AuditEvidence {
  return {
    format: 'imago-plc-audit@v1',
    alarm: alarm.code,
    message: alarm.message,
    log,
    foundAt: new Date(foundAtMs).toISOString(),
    ...alarm.evidence,
  }
}

/** What a stranger can say of evidence, without the directory and without trust in the auditor. */
export type EvidenceVerdict =
  /** The log has signed what cannot be. */
  | { readonly kind: 'proven'; readonly message: string }
  /** The file is sound, and shows what was seen; that the directory answered so is the auditor's word. */
  | { readonly kind: 'witnessed'; readonly message: string }
  /** The file does not show what it says. */
  | { readonly kind: 'unfounded'; readonly message: string }

/** What reading a file throws that is not evidence. */
const MALFORMED = [TlogError, MissingTileError, TypeError, RangeError, SyntaxError]

/**
 * Judges the evidence again.
 * @param policy names the keys of the log. Its quorum is not demanded: the log's own signature is what convicts it.
 */
export function judgeEvidence(evidence: AuditEvidence, policy: TrustPolicy): EvidenceVerdict {
  const anyWitness: TrustPolicy = { ...policy, quorum: { threshold: 0, members: [] } }
  try {
    const signed = (note: string | undefined): Checkpoint => {
      if (note === undefined) throw new TlogError('InvalidCheckpoint', 'a checkpoint is missing')
      const parsed = parseCheckpoint(note)
      checkTrust(parsed, anyWitness)
      return parsed.checkpoint
    }
    return judge(evidence, signed, anyWitness)
  } catch (error) {
    if (!MALFORMED.some((kind) => error instanceof kind)) throw error
    return { kind: 'unfounded', message: (error as Error).message }
  }
}

function judge(
  evidence: AuditEvidence,
  signed: (note: string | undefined) => Checkpoint,
  policy: TrustPolicy,
): EvidenceVerdict {
  const { alarm, before, checkpoint, tiles = {}, proof } = evidence
  switch (alarm) {
    case 'Split': {
      const [a, b] = [signed(before), signed(checkpoint)]
      return a.origin === b.origin && a.size === b.size && !equalBytes(a.root, b.root)
        ? { kind: 'proven', message: `${a.origin} has signed two roots at size ${a.size}` }
        : { kind: 'unfounded', message: 'the two checkpoints do not contradict each other' }
    }
    case 'Fork': {
      const [old, latest] = [signed(before), signed(checkpoint)]
      const source = createTileHashSource(latest.size, (tile) => {
        const bytes = tiles[tilePath(tile)]
        return bytes === undefined ? undefined : Uint8Array.fromBase64(bytes)
      })
      if (old.origin !== latest.origin || !equalBytes(treeRoot(source, latest.size), latest.root))
        return { kind: 'unfounded', message: 'the tiles are not those of the later checkpoint' }
      try {
        verifyConsistency(proveConsistency(source, old.size, latest.size), old, latest)
      } catch (error) {
        if (!(error instanceof TlogError)) throw error
        return {
          kind: 'proven',
          message: `${old.origin} has signed histories of ${old.size} and ${latest.size} entries that do not agree`,
        }
      }
      return { kind: 'unfounded', message: 'the later log begins with the earlier one' }
    }
    case 'WrongWithdrawal':
      return judgeNotice(evidence, policy)
    case 'StillServed': {
      const entry = provenEntry(proof, policy)
      const answers = Object.values(evidence.answers ?? {})
      return entry.kind === 'withdrawal' && answers.length > 0
        ? { kind: 'witnessed', message: `the log holds the notice; ${evidence.message}` }
        : { kind: 'unfounded', message: 'the proven entry is not a notice, or the answers are missing' }
    }
    case 'Entry':
    case 'Disagreement': {
      provenBytes(proof, policy)
      return { kind: 'witnessed', message: `the log holds the entry; ${evidence.message}` }
    }
    case 'Rollback': {
      const [old, latest] = [signed(before), signed(checkpoint)]
      return latest.size < old.size
        ? {
            kind: 'witnessed',
            message: `${old.origin} has signed ${old.size} entries; that it showed ${latest.size} later is the auditor's word`,
          }
        : { kind: 'unfounded', message: 'the second checkpoint is not shorter' }
    }
    case 'Tiles':
      signed(checkpoint)
      return { kind: 'witnessed', message: evidence.message }
    case 'Untrusted':
      return { kind: 'witnessed', message: evidence.message }
  }
}

/**
 * Replays what the log is proven to hold about the DID. That it holds nothing else about it is the auditor's word: only
 * whoever replays the whole log knows.
 */
function judgeNotice({ proof, history = [] }: AuditEvidence, policy: TrustPolicy): EvidenceVerdict {
  const notice = provenEntry(proof, policy)
  if (notice.kind !== 'withdrawal') return { kind: 'unfounded', message: 'the proven entry is not a notice' }
  const cid = notice.cid.toString()
  const log = createLog(notice.did)
  let open: string[] = []
  for (const text of history) {
    const { index } = parseTlogProof(text)
    const one = readLogEntry(provenBytes(text, policy), index)
    if (one.did !== notice.did || index >= parseTlogProof(proof!).index)
      return { kind: 'unfounded', message: `entry ${index} is not one of ${notice.did} before the notice` }
    if (!('operation' in one)) {
      open = []
      continue
    }
    try {
      if (one.fault !== undefined) throw one.fault
      acceptOperation(log, one.operation, one.createdAt)
    } catch (error) {
      if (!(error instanceof PlcError)) throw error
      open.push(operationCid(one.operation).toString())
    }
  }
  if (open[0] === cid)
    return { kind: 'unfounded', message: `operation ${cid} may not stand, and was rightly withdrawn` }
  const what = log.entries.some((entry) => entry.cid.equals(notice.cid))
    ? 'may stand'
    : 'is not the first to fall'
  return { kind: 'witnessed', message: `the log holds a notice that withdraws ${cid}, which ${what}` }
}

const provenEntry = (proof: string | undefined, policy: TrustPolicy): PlcLogEntry =>
  decodeLogEntry(provenBytes(proof, policy))

/** The entry that a proof file comes with. @throws {TlogError} when it is not proven to be in the log. */
function provenBytes(proof: string | undefined, policy: TrustPolicy): Uint8Array {
  if (proof === undefined) throw new TlogError('InvalidProof', 'the proof of the entry is missing')
  const { extra } = parseTlogProof(proof)
  if (extra === undefined) throw new TlogError('InvalidProof', 'the proof has no entry with it')
  verifyTlogProof(proof, hashLeaf(extra), policy)
  return extra
}
