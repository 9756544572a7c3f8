/**
 * The sixteen things that have to be so of a commit event, from the cheapest to find out to the most expensive. The
 * names are stable: metrics, logs and operators' pages use them.
 * @see https://atproto.com/specs/sync#commit-event
 */
export const CHECKS = {
  1: 'account-did',
  2: 'sender-host',
  3: 'account-active',
  4: 'size-limits',
  5: 'rev-clock',
  6: 'rev-advances',
  7: 'car-integrity',
  8: 'commit-object',
  9: 'signature',
  10: 'identity-resolved',
  11: 'ops-well-formed',
  12: 'ops-match-tree',
  13: 'records-decode',
  14: 'prev-data-present',
  15: 'inversion',
  16: 'chain-continuity',
} as const

export type CheckNumber = keyof typeof CHECKS
export type CheckName = (typeof CHECKS)[CheckNumber]

/** One check that did not hold. */
export interface Finding {
  readonly check: CheckNumber
  readonly name: CheckName
  /** For people: what was found, and what was expected. */
  readonly reason: string
}

export const finding = (check: CheckNumber, reason: string): Finding => ({
  check,
  name: CHECKS[check],
  reason,
})
