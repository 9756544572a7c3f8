import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { originOfHost } from '../../hosts/hostname.ts'
import { activeAccount } from '../find-account.ts'
import type { Ports } from '../ports.ts'

/** No repository lies here: the account's own host is where to ask. */
export const getRepo = ({ account }: Pick<Ports, 'account'>) =>
  method(com.atproto.sync.getRepo.main, ({ params: { did, since } }) => {
    const { host } = activeAccount(account, did)
    const location = new URL('/xrpc/com.atproto.sync.getRepo', originOfHost(host))
    location.search = new URLSearchParams({ did, ...(since !== undefined && { since }) }).toString()
    return new Response(null, { status: 302, headers: { location: location.href } })
  })
