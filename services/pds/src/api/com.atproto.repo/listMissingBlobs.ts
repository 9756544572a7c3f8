import { com } from '@imago/atproto'
import { atUri, type Nsid, type RecordKey } from '@imago/syntax'
import { method } from '@imago/xrpc/server'
import { cursorCid } from '../cursor-cid.ts'
import type { Ports } from '../ports.ts'

/** Blobs that records refer to and that have not been uploaded, one record for each. */
export const listMissingBlobs = ({
  authentication,
  blobIndex,
}: Pick<Ports, 'authentication' | 'blobIndex'>) =>
  method(
    com.atproto.repo.listMissingBlobs.main,
    { auth: authentication.account({ evenInactive: true }) },
    async ({ auth: { account }, params: { limit, cursor } }) => {
      const { did } = account
      const missing = await blobIndex.listMissing(did, { after: cursorCid(cursor), limit })
      const last = missing.at(-1)
      return {
        ...(last && { cursor: last.cid.toString() }),
        blobs: missing.map(({ cid, path }) => {
          const [collection, rkey] = path.split('/') as [Nsid, RecordKey]
          return { cid: cid.toString(), recordUri: atUri(did, collection, rkey) }
        }),
      }
    },
  )
