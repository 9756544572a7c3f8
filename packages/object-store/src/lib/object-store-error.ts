export type ObjectStoreErrorCode =
  /** The key or prefix is not one; nothing was asked of the store. */
  | 'InvalidKey'
  | 'InvalidRange'
  /** The source of a copy is not there. */
  | 'NotFound'
  /** What came is not what was stored, or what was stored is not what was sent. */
  | 'Corrupt'
  /** There is no room. */
  | 'Full'
  /** The store does not let us: credentials, permissions. */
  | 'Refused'
  /** The store did not answer, or not in time, or said to come back later; retries were in vain. */
  | 'Unavailable'
  | 'Failed'

/** What a store could not do. The message names the key; `cause` is what the system or the service said. */
export class ObjectStoreError extends Error {
  readonly code: ObjectStoreErrorCode
  readonly key: string

  constructor(code: ObjectStoreErrorCode, key: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ObjectStoreError'
    this.code = code
    this.key = key
  }
}
