import { com } from '@imago/atproto'
import { type Cid, tryParseCid } from '@imago/data'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { servedHead } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const listBlobs = ({ repos, blobIndex }: Pick<Ports, 'repos' | 'blobIndex'>) =>
  method(com.atproto.sync.listBlobs.main, async ({ params: { did, since, limit, cursor } }) => {
    await servedHead(repos, did)
    const cids = await blobIndex.list(did, { since, after: cidOf(cursor), limit })
    const last = cids.at(-1)
    return { ...(last && { cursor: last.toString() }), cids: cids.map((cid) => cid.toString()) }
  })

function cidOf(cursor: string | undefined): Cid | undefined {
  if (cursor === undefined) return undefined
  const cid = tryParseCid(cursor)
  if (cid === undefined)
    throw invalidRequest(`cursor is ${JSON.stringify(cursor)}: use the one of the page before`)
  return cid
}
