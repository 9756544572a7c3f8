import { com } from '@imago/atproto'
import { collectionRange, exportRange } from '@imago/repo'
import { isNsid, type Nsid } from '@imago/syntax'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { carChunks } from '../../repos/car-chunks.ts'
import { assertRoomFor, exportResponse } from '../car-response.ts'
import { servedSnapshot } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

/**
 * A repository, or what came to it after a revision. By a parameter of our own, `collection`, only the records of one
 * collection, with the nodes that prove that they are all: a host that does not know the parameter sends the whole
 * repository, in which the same can be found.
 */
export const getRepo = ({ repos, exports }: Pick<Ports, 'repos' | 'exports'>) =>
  method(com.atproto.sync.getRepo.main, async ({ params: { did, since }, request }) => {
    const collection = collectionOf(request, since)
    assertRoomFor(exports)
    const snapshot = await servedSnapshot(repos, did)
    const { head, blocks } = snapshot
    const chunks =
      collection !== undefined
        ? carChunks(exportRange(blocks, head.cid, collectionRange(collection)))
        : since !== undefined
          ? carChunks(snapshot.exportSince(since))
          : snapshot.export()
    return exportResponse(exports, snapshot, chunks)
  })

function collectionOf(request: Request, since: string | undefined): Nsid | undefined {
  const [collection, ...more] = new URL(request.url).searchParams.getAll('collection')
  if (collection === undefined) return undefined
  if (!isNsid(collection))
    throw invalidRequest(`collection is ${JSON.stringify(collection)}: it must be the NSID of a record type`)
  if (more.length > 0) throw invalidRequest('collection is there twice: ask for one at a time')
  if (since !== undefined)
    throw invalidRequest('since and collection do not go together: a part of a difference proves nothing')
  return collection
}
