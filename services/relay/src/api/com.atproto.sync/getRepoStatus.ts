import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { statusOf } from '../../state/account.ts'
import { knownAccount } from '../find-account.ts'
import type { Ports } from '../ports.ts'

export const getRepoStatus = ({ account }: Pick<Ports, 'account'>) =>
  method(com.atproto.sync.getRepoStatus.main, ({ params: { did } }) => {
    const known = knownAccount(account, did)
    const status = statusOf(known)
    return { did, ...status, ...(status.active && known.head && { rev: known.head.rev }) }
  })
