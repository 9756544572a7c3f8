import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { carResponse } from '../car-response.ts'
import { servedSnapshot } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const getRepo = ({ repos }: Pick<Ports, 'repos'>) =>
  method(com.atproto.sync.getRepo.main, async ({ params: { did, since } }) => {
    const snapshot = await servedSnapshot(repos, did)
    const blocks = since === undefined ? snapshot.export() : snapshot.exportSince(since)
    return carResponse(snapshot.head.cid, blocks, () => snapshot[Symbol.dispose]())
  })
