import { type Directory, IdentityError } from '@imago/identity'
import type { Did } from '@imago/syntax'
import type { PlcClient } from './plc-client.ts'

/**
 * What keeps the world from finding an account here and checking what it signs, and us from changing its DID later:
 * asked anew, of the DID document and, for did:plc, of the directory. `undefined` when nothing does.
 * @throws {PlcClientError} when the directory could not be reached.
 */
export async function faultOfIdentity(
  did: Did,
  signingKey: string,
  ports: {
    directory: Pick<Directory, 'resolveDid'>
    plc: Pick<PlcClient, 'data'>
    server: { readonly publicUrl: string; readonly rotationKey: string }
  },
): Promise<string | undefined> {
  const { directory, plc, server } = ports
  let document: Awaited<ReturnType<Directory['resolveDid']>>
  try {
    document = await directory.resolveDid(did, { refresh: true })
  } catch (error) {
    if (error instanceof IdentityError) return `the DID document cannot be had: ${error.message}`
    throw error
  }
  if (document.pds !== server.publicUrl)
    return `the DID document says that the PDS is ${document.pds ?? 'nowhere'}, and this is ${server.publicUrl}`
  if (document.signingKey?.didKey !== signingKey)
    return `the DID document does not name the signing key of this repository, ${signingKey}`
  if (!did.startsWith('did:plc:')) return undefined
  const { rotationKeys } = await plc.data(did)
  if (!rotationKeys.includes(server.rotationKey))
    return `the rotation keys of ${did} do not include the one of this server, ${server.rotationKey}: without it, handle and keys could not be changed here`
  return undefined
}
