/**
 * Why an operation is not withdrawn:
 * - `NotFound` the DID has no such operation;
 * - `Valid` it may stand where it stands;
 * - `NotFirst` it falls with another one: that is the one to name.
 */
export type WithdrawalErrorCode = 'NotFound' | 'Valid' | 'NotFirst'

/** A notice that may not be given. */
export class WithdrawalError extends Error {
  override readonly name = 'WithdrawalError'
  readonly code: WithdrawalErrorCode

  constructor(code: WithdrawalErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
