import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const getRepoStatus = ({ repos }: Pick<Ports, 'repos'>) =>
  method(com.atproto.sync.getRepoStatus.main, async ({ params: { did } }) => {
    const head = await repos.head(did)
    if (head === undefined) throw invalidRequest(`no repository of ${did} lies here`, 'RepoNotFound')
    const { status, rev } = head
    return status === undefined ? { did, active: true, rev } : { did, active: false, status }
  })
