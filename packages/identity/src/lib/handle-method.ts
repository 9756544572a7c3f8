import type { Did, Handle } from '@imago/syntax'
import { IdentityError } from './identity-error.ts'

/**
 * One way from a handle to a DID. `undefined`: this way knows of none. Throws when it could not find out.
 */
export type HandleMethod = (handle: Handle, signal: AbortSignal) => Promise<Did | undefined>

/** The most that an answer with one DID in it may take, in bytes. */
export const MAX_ANSWER_BYTES = 2048

export const notFound = (handle: Handle, why: string) =>
  new IdentityError('HandleNotFound', `the handle ${handle} does not resolve: ${why}`)

/** Whether an error, or what lies beneath it, has this `code`. */
export function hasCode(error: unknown, code: string): boolean {
  for (let depth = 0; depth < 4 && error instanceof Error; depth++, error = error.cause)
    if ('code' in error && error.code === code) return true
  return false
}
