import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { servedHead } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const getLatestCommit = ({ repos }: Pick<Ports, 'repos'>) =>
  method(com.atproto.sync.getLatestCommit.main, async ({ params: { did } }) => {
    const { cid, rev } = await servedHead(repos, did)
    return { cid: cid.toString(), rev }
  })
