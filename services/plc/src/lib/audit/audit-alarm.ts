/**
 * What an auditor can catch a directory at:
 * - `Untrusted` a checkpoint without the signatures that the policy demands, forged, or too old;
 * - `Rollback` a log that is shorter than it was;
 * - `Split` two roots of one size;
 * - `Fork` a longer log that does not begin with the shorter one;
 * - `Tiles` tiles or entries that are not those of the root;
 * - `Entry` an entry that is no operation, or one that may not stand where it stands;
 * - `Disagreement` an API that tells another history than the log;
 * - `WrongWithdrawal` a notice that withdraws what may stand, or what is not there;
 * - `StillServed` an API that goes on telling what the log says is withdrawn.
 */
export type AlarmCode =
  | 'Untrusted'
  | 'Rollback'
  | 'Split'
  | 'Fork'
  | 'Tiles'
  | 'Entry'
  | 'Disagreement'
  | 'WrongWithdrawal'
  | 'StillServed'

/** Exit codes of `imago plc audit`, one for each alarm. */
export const ALARM_EXIT_CODES: Readonly<Record<AlarmCode, number>> = {
  Untrusted: 10,
  Rollback: 11,
  Split: 12,
  Fork: 13,
  Tiles: 14,
  Entry: 15,
  Disagreement: 16,
  WrongWithdrawal: 17,
  StillServed: 18,
}

/** What was seen, whole, so that others can judge it again. Bytes are base64. */
export interface AuditEvidence {
  readonly format: 'imago-plc-audit@v1'
  readonly alarm: AlarmCode
  readonly message: string
  /** The log's address. */
  readonly log: string
  /** ISO 8601. */
  readonly foundAt: string
  /** The checkpoint that was verified before, as a signed note. */
  readonly before?: string
  /** The checkpoint that raised the alarm, or that the audit went against, as a signed note. */
  readonly checkpoint?: string
  /** With `Fork`: a proof that fails, and the tiles that it was made of, by path. */
  readonly tiles?: Readonly<Record<string, string>>
  /** With `Entry` and the alarms below it: a proof file that shows the entry to be in the log. */
  readonly proof?: string
  /** With `WrongWithdrawal`: proof files of every operation of the DID before the notice, oldest first. */
  readonly history?: readonly string[]
  /** With `Disagreement` and `StillServed`: what the API answered. */
  readonly answers?: Readonly<Record<string, string>>
}

/** The directory has done what it must not. */
export class AuditAlarm extends Error {
  override readonly name = 'AuditAlarm'
  readonly code: AlarmCode
  readonly evidence: Omit<AuditEvidence, 'format' | 'alarm' | 'message' | 'log' | 'foundAt'>

  constructor(code: AlarmCode, message: string, evidence: AuditAlarm['evidence'], options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.evidence = evidence
  }
}
