/** A string is not the identifier it was taken for. The message names the kind, the value and the rule. */
export class InvalidIdentifierError extends Error {
  override readonly name = 'InvalidIdentifierError'
  readonly code = 'InvalidIdentifier'
  /** What it should have been, as a person would say it: `DID`, `handle`, `AT-URI`. */
  readonly kind: string
  /** What it was. */
  readonly value: unknown

  /** @param rule the rule that the value breaks, for the message. */
  constructor(kind: string, value: unknown, rule: string) {
    super(`not a valid ${kind}: ${excerpt(value)} (expected ${rule})`)
    this.kind = kind
    this.value = value
  }
}

/** A bounded, quoted form of a value from outside, safe in a log line or an answer. */
function excerpt(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'null' : typeof value
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
}
