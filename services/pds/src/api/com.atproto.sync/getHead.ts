import { com } from '@imago/atproto'
import { invalidRequest, XrpcError } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { servedHead } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

/** What getLatestCommit says, as clients of old ask for it. */
export const getHead = ({ repos }: Pick<Ports, 'repos'>) =>
  method(com.atproto.sync.getHead.main, async ({ params: { did } }) => {
    try {
      return { root: (await servedHead(repos, did)).cid.toString() }
    } catch (error) {
      if (error instanceof XrpcError) throw invalidRequest(error.message, 'HeadNotFound')
      throw error
    }
  })
