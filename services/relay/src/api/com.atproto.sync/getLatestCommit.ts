import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { activeHead } from '../find-account.ts'
import type { Ports } from '../ports.ts'

export const getLatestCommit = ({ account }: Pick<Ports, 'account'>) =>
  method(com.atproto.sync.getLatestCommit.main, ({ params: { did } }) => {
    const { commit, rev } = activeHead(account, did)
    return { cid: commit.toString(), rev }
  })
