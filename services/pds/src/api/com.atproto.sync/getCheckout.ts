import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { assertRoomFor, exportResponse } from '../car-response.ts'
import { servedSnapshot } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

/** The whole repository, as clients of old ask for it. */
export const getCheckout = ({ repos, exports }: Pick<Ports, 'repos' | 'exports'>) =>
  method(com.atproto.sync.getCheckout.main, async ({ params: { did } }) => {
    assertRoomFor(exports)
    const snapshot = await servedSnapshot(repos, did)
    return exportResponse(exports, snapshot, snapshot.export())
  })
