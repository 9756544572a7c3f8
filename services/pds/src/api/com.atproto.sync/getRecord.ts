import { com } from '@imago/atproto'
import { recordProof } from '@imago/repo'
import { method } from '@imago/xrpc/server'
import { carResponse } from '../car-response.ts'
import { servedSnapshot } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

/** Proves what lies at a path, or that nothing does: absence is an answer, too. */
export const getRecord = ({ repos }: Pick<Ports, 'repos'>) =>
  method(com.atproto.sync.getRecord.main, async ({ params: { did, collection, rkey } }) => {
    using snapshot = await servedSnapshot(repos, did)
    const { cid } = snapshot.head
    return carResponse(cid, recordProof(snapshot.blocks, cid, `${collection}/${rkey}`))
  })
