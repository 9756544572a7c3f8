import { IdentityError } from '@imago/identity'
import { invalidRequest, type XrpcError } from '@imago/xrpc'

/**
 * What a client hears of an identity that was not found, by the names that the schemas declare. A did:web that we do not
 * go to is none for us. `undefined` for what says nothing about the identity.
 */
export function identityRefusal(error: unknown): XrpcError | undefined {
  if (!(error instanceof IdentityError)) return undefined
  if (error.code === 'Refused') return invalidRequest(error.message, 'DidNotFound')
  return error.isDefinitive ? invalidRequest(error.message, error.code) : undefined
}

/** Runs `find`, and answers as {@link identityRefusal} says. */
export async function answerAboutIdentity<T>(find: () => Promise<T>): Promise<T> {
  try {
    return await find()
  } catch (error) {
    throw identityRefusal(error) ?? error
  }
}
