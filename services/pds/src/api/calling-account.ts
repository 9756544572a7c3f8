import type { Directory } from '@imago/identity'
import type { Did, Nsid } from '@imago/syntax'
import { XrpcError } from '@imago/xrpc'
import { ServiceTokenError, verifyServiceToken } from '../identity/service-token.ts'

/**
 * The DID in whose name a request comes from another host: by a service token for this server and this method.
 * `undefined` where no token came.
 * @throws {XrpcError} 401 for a token that does not hold.
 */
export async function callingAccount(
  request: Request,
  lxm: Nsid,
  ports: { directory: Pick<Directory, 'resolveDid'>; serviceDid: Did; now: () => number },
): Promise<Did | undefined> {
  const header = request.headers.get('authorization')
  if (header === null) return undefined
  const token = /^bearer +(\S+) *$/i.exec(header)?.[1]
  try {
    if (token === undefined) throw new ServiceTokenError('BadJwt', 'the Authorization header must be Bearer')
    const { iss } = await verifyServiceToken(token, {
      aud: ports.serviceDid,
      lxm,
      nowMs: ports.now(),
      keyOf: async (did, options) => (await ports.directory.resolveDid(did, options)).signingKey,
    })
    return iss
  } catch (error) {
    if (error instanceof ServiceTokenError) throw new XrpcError(401, error.code, error.message)
    throw error
  }
}
