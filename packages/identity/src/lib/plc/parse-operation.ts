import { checkIngest, INGEST_LIMITS, type IngestOptions } from './ingest-policy.ts'
import type { Operation } from './operation.ts'
import { operationBytes, sealOperation } from './operation-bytes.ts'
import { parseForm } from './operation-form.ts'
import { excerpt, PlcError } from './plc-error.ts'

/**
 * Two policies, for the door and for the past. `ingest` is what a directory takes from the public: everything in
 * bounds. `replay` takes whatever history may hold and still be a valid log: legacy genesis operations, duplicate or
 * missing rotation keys, keys of unknown types, endpoints that are not URLs.
 */
export type Policy = 'ingest' | 'replay'

/** The one bound of the `replay` policy, in bytes of DAG-CBOR. */
export const REPLAY_OPERATION_BYTES = 7500

/**
 * An operation from JSON, checked for form and against a policy; not for its signature nor its place in a log. The
 * result is a copy in canonical key order whose maps have no prototype, so that a service named `__proto__` keeps its
 * bytes; nobody can change it any more, so that it is encoded and hashed once.
 * @param json as `JSON.parse` gives it.
 * @throws {PlcError} `InvalidOperation` or `OperationTooLarge`.
 */
export function parseOperation(json: unknown, policy: Policy, options: IngestOptions = {}): Operation {
  const operation = parseForm(json)
  if (operation === undefined || (policy === 'ingest' && operation.type === 'create'))
    throw new PlcError('InvalidOperation', `Not a valid operation: ${excerpt(json)}`)
  const maxBytes = policy === 'ingest' ? INGEST_LIMITS.operationBytes : REPLAY_OPERATION_BYTES
  if (sizeOf(operation) > maxBytes)
    throw new PlcError(
      'OperationTooLarge',
      `Operation too large (${maxBytes} bytes maximum in cbor encoding)`,
    )
  if (policy === 'ingest') checkIngest(operation, options)
  return operation
}

/** In bytes of DAG-CBOR. @throws {PlcError} where text has no UTF-8 form, and the operation no bytes to sign. */
function sizeOf(operation: Operation): number {
  try {
    return operationBytes(sealOperation(operation)).length
  } catch (cause) {
    throw new PlcError('InvalidOperation', `Operation cannot be encoded: ${String(cause)}`, { cause })
  }
}
