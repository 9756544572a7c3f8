import {
  CHECKS,
  type CheckName,
  type CheckNumber,
  type CommitVerdict,
  type Finding,
  type SyncVerdict,
} from '@imago/sync'

/** How one of the sixteen checks came out. `not made`: it needs more than the event, or an earlier one had failed. */
export interface CheckResult {
  readonly number: CheckNumber
  readonly name: CheckName
  readonly outcome: 'holds' | 'failed' | 'not made'
  readonly reason: string | undefined
}

/**
 * Checks that compare an event with what was known before it: who sent it, how the account stood, which rev came last.
 * One event alone cannot answer them; the relay has, or the event would not be on its stream.
 */
const NEEDS_CONTEXT: readonly CheckNumber[] = [2, 3, 6, 16]
/** What a `#sync` has that can be checked: no operations, and no tree. */
const OF_SYNC: readonly CheckNumber[] = [1, 4, 5, 7, 8, 9, 10]

/** All sixteen checks, as they came out for one `#commit`. */
export function commitChecks(verdict: CommitVerdict): CheckResult[] {
  return checkList(
    verdict.accepted ? verdict.findings : [verdict],
    verdict.accepted ? undefined : verdict.check,
    (number) => !NEEDS_CONTEXT.includes(number),
  )
}

/** Those of the sixteen that a `#sync` can be checked by. */
export function syncChecks(verdict: SyncVerdict): CheckResult[] {
  return checkList(
    verdict.accepted ? [] : [verdict],
    verdict.accepted ? undefined : verdict.check,
    (number) => OF_SYNC.includes(number),
  )
}

function checkList(
  findings: readonly Finding[],
  stoppedAt: CheckNumber | undefined,
  isMade: (number: CheckNumber) => boolean,
): CheckResult[] {
  return Object.entries(CHECKS).map(([key, name]) => {
    const number = Number(key) as CheckNumber
    const finding = findings.find(({ check }) => check === number)
    const wasReached = stoppedAt === undefined || number < stoppedAt
    const outcome = finding ? 'failed' : wasReached && isMade(number) ? 'holds' : 'not made'
    return { number, name, outcome, reason: finding?.reason }
  })
}
