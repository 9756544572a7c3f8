import { com } from '@imago/atproto'
import { parseCid } from '@imago/data'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { carResponse } from '../car-response.ts'
import { servedHead } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const getBlocks = ({ repos }: Pick<Ports, 'repos'>) =>
  method(com.atproto.sync.getBlocks.main, async ({ params: { did, cids } }) => {
    const head = await servedHead(repos, did)
    const blocks = await repos.getBlocks(did, cids.map(parseCid))
    if (blocks.length < cids.length) {
      const found = new Set(blocks.map(({ cid }) => cid.toString()))
      const missing = cids.filter((cid) => !found.has(cid))
      throw invalidRequest(`not in the repository of ${did}: ${missing.join(', ')}`, 'BlockNotFound')
    }
    return carResponse(head.cid, blocks)
  })
