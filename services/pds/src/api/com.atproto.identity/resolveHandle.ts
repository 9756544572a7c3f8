import { com } from '@imago/atproto'
import { IdentityError } from '@imago/identity'
import { type Handle, normalizeHandle } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { serviceDomainOf } from '../../accounts/handle-rules.ts'
import type { Ports } from '../ports.ts'

export const resolveHandle = ({
  accounts,
  directory,
  server,
}: Pick<Ports, 'accounts' | 'directory' | 'server'>) =>
  method(com.atproto.identity.resolveHandle.main, async ({ params }) => {
    const handle = normalizeHandle(params.handle)
    const account = await accounts.byHandle(handle)
    // About its own accounts this server is the authority: nobody else is asked, least of all itself.
    if (account !== undefined) {
      if (account.status === undefined) return { did: account.did }
      throw notFound(handle)
    }
    if (serviceDomainOf(handle, server.handleDomains)) throw notFound(handle)
    try {
      return { did: await directory.resolveHandle(handle) }
    } catch (error) {
      if (error instanceof IdentityError) throw notFound(handle)
      throw error
    }
  })

const notFound = (handle: Handle) => invalidRequest(`the handle ${handle} names no account`, 'HandleNotFound')
