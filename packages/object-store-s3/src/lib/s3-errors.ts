import { S3ServiceException } from '@aws-sdk/client-s3'
import { ObjectStoreError, type ObjectStoreErrorCode } from '@imago/object-store'

/** Names that say more than the status with which they come. */
const CODES: Readonly<Record<string, ObjectStoreErrorCode>> = {
  NoSuchKey: 'NotFound',
  NotFound: 'NotFound',
  InvalidRange: 'InvalidRange',
  BadDigest: 'Corrupt',
  InvalidDigest: 'Corrupt',
  XAmzContentSHA256Mismatch: 'Corrupt',
  QuotaExceeded: 'Full',
  SlowDown: 'Unavailable',
  RequestTimeout: 'Unavailable',
  TimeoutError: 'Unavailable',
  AbortError: 'Unavailable',
}

/** Asks the server, and says of a failure which object it was about. */
export async function asked<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw storeError(key, error)
  }
}

export function storeError(key: string, error: unknown): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error
  const code = codeOf(error)
  return new ObjectStoreError(code, key, `${key}: ${sentenceOf(error)}`, { cause: error })
}

function codeOf(error: unknown): ObjectStoreErrorCode {
  const named = error instanceof Error ? CODES[error.name] : undefined
  if (named !== undefined) return named
  if (!(error instanceof S3ServiceException)) return isOfTheNetwork(error) ? 'Unavailable' : 'Failed'
  const status = error.$metadata.httpStatusCode ?? 0
  if (status === 401 || status === 403) return 'Refused'
  if (status === 507) return 'Full'
  return status >= 500 || status === 429 ? 'Unavailable' : 'Failed'
}

/** Node's errors of sockets and name resolution carry a code such as `ECONNREFUSED`. */
function isOfTheNetwork(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && error.name === 'Error' ? String(error.code) : error.name
  const status =
    error instanceof S3ServiceException && error.$metadata.httpStatusCode !== undefined
      ? ` (HTTP ${error.$metadata.httpStatusCode})`
      : ''
  return `the S3 server said ${code}${status}: ${error.message || 'nothing more'}`
}

/** Whether the server does not do what was asked of it, which some of Amazon's imitators do not do in full. */
export function isNotImplemented(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 501
}
