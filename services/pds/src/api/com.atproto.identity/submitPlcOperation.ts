import { com } from '@imago/atproto'
import { PlcError, type PlcOperation, parseOperation } from '@imago/identity/plc'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { entryOf, identityEvent } from '../../events/events.ts'
import type { Ports } from '../ports.ts'

/**
 * Passes a signed operation on to the PLC directory, if the account can live here under it. The directory judges the
 * signature.
 */
export const submitPlcOperation = ({
  authentication,
  repos,
  accounts,
  directory,
  plc,
  server,
  now,
}: Pick<Ports, 'authentication' | 'repos' | 'accounts' | 'directory' | 'plc' | 'server' | 'now'>) =>
  method(
    com.atproto.identity.submitPlcOperation.main,
    { auth: authentication.account({ evenInactive: true, notForApps: true }) },
    async ({ auth: { account }, input }) => {
      const { did, handle, status } = account
      const repo = await repos.open(did)
      if (repo === undefined) throw new Error(`the account ${did} has no repository`)
      const operation = operationOf(input.operation)
      const fault = faultOf(operation, handle, repo.keypair.didKey, server)
      if (fault !== undefined) throw invalidRequest(fault)
      await plc.submit(did, operation)
      directory.invalidate(did)
      // Of an account that is not active here, its activation will tell.
      if (status === undefined) await accounts.announce([entryOf(did, identityEvent(did, handle, now()))])
    },
  )

function operationOf(json: unknown): PlcOperation {
  try {
    const operation = parseOperation(json, 'ingest')
    if (operation.type === 'plc_operation') return operation
    throw invalidRequest(`an operation of type ${operation.type} is not taken here`)
  } catch (error) {
    if (error instanceof PlcError) throw invalidRequest(error.message)
    throw error
  }
}

/** What would keep the account from living here, or its handle from ever being changed here. */
function faultOf(
  { rotationKeys, services, verificationMethods, alsoKnownAs }: PlcOperation,
  handle: string,
  signingKey: string,
  { rotationKey, publicUrl }: Ports['server'],
): string | undefined {
  const pds = services['atproto_pds']
  if (!rotationKeys.includes(rotationKey))
    return `rotationKeys do not include the key of this server, ${rotationKey}`
  if (pds?.type !== 'AtprotoPersonalDataServer')
    return 'services.atproto_pds is not an AtprotoPersonalDataServer'
  if (pds.endpoint !== publicUrl)
    return `services.atproto_pds is at ${pds.endpoint}, and this is ${publicUrl}`
  if (verificationMethods['atproto'] !== signingKey)
    return `verificationMethods.atproto is not the signing key of this repository, ${signingKey}`
  if (alsoKnownAs[0] !== `at://${handle}`) return `alsoKnownAs does not begin with the handle, at://${handle}`
  return undefined
}
