/**
 * Why an operation or a log is refused:
 * - `InvalidOperation` its form, or a limit of the policy;
 * - `OperationTooLarge` its size in bytes;
 * - `InvalidDid` not a did:plc identifier;
 * - `InvalidTime` a time that cannot be read, or is not after that of the head;
 * - `GenesisMismatch` the DID is not the hash of the genesis operation;
 * - `Misordered` its `prev` names nothing that it may follow;
 * - `InvalidSignature` none of the keys that may sign here did;
 * - `StalePrev` a key signed that might have, had nothing else followed `prev` yet: build on the head instead;
 * - `LateRecovery` a fork more than 72 hours after what it would undo;
 * - `KeyNotAllowed` (when authoring) the key is not among the rotation keys.
 */
export type PlcErrorCode =
  | 'InvalidOperation'
  | 'OperationTooLarge'
  | 'InvalidDid'
  | 'InvalidTime'
  | 'GenesisMismatch'
  | 'Misordered'
  | 'InvalidSignature'
  | 'StalePrev'
  | 'LateRecovery'
  | 'KeyNotAllowed'

/** An operation that may not enter a log. Messages that clients know are those of the public directory. */
export class PlcError extends Error {
  override readonly name = 'PlcError'
  readonly code: PlcErrorCode

  constructor(code: PlcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const MAX_EXCERPT = 1024

/** A value as JSON, bounded, for an error message. */
export function excerpt(value: unknown): string {
  const text = jsonOf(value)
  return text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // The parser takes nesting that the printer has no stack for.
    return '(nested too deeply to be shown)'
  }
}
