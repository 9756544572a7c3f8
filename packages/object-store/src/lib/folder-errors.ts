import { ObjectStoreError, type ObjectStoreErrorCode } from './object-store-error.ts'

const CODES: Readonly<Record<string, ObjectStoreErrorCode>> = {
  ENOSPC: 'Full',
  EDQUOT: 'Full',
  EACCES: 'Refused',
  EPERM: 'Refused',
  EROFS: 'Refused',
  EMFILE: 'Unavailable',
  ENFILE: 'Unavailable',
}

/** The system's name for what went wrong, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Says of a failure of the file system which object it was about. */
export async function guarded<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof ObjectStoreError) throw cause
    const code = CODES[codeOf(cause) ?? ''] ?? 'Failed'
    throw new ObjectStoreError(code, key, `${key}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}
