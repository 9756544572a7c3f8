import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { cursorCid } from '../cursor-cid.ts'
import { servedHead } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const listBlobs = ({ repos, blobIndex }: Pick<Ports, 'repos' | 'blobIndex'>) =>
  method(com.atproto.sync.listBlobs.main, async ({ params: { did, since, limit, cursor } }) => {
    await servedHead(repos, did)
    const cids = await blobIndex.list(did, { since, after: cursorCid(cursor), limit })
    const last = cids.at(-1)
    return { ...(last && { cursor: last.toString() }), cids: cids.map((cid) => cid.toString()) }
  })
