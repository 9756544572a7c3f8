import { com } from '@imago/atproto'
import { IdentityError } from '@imago/identity'
import { INVALID_HANDLE, type Nsid } from '@imago/syntax'
import { upstreamFailure } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { findAccount, servedHead } from '../find-repo.ts'
import type { Ports } from '../ports.ts'

export const describeRepo = ({
  accounts,
  repos,
  directory,
}: Pick<Ports, 'accounts' | 'repos' | 'directory'>) =>
  method(com.atproto.repo.describeRepo.main, async ({ params }) => {
    const { did, handle } = await findAccount(accounts, params.repo)
    await servedHead(repos, did)
    const collections = (await repos.collections(did)) as Nsid[]
    try {
      const identity = await directory.resolve(did)
      return {
        did,
        handle,
        didDoc: identity.document as unknown as com.atproto.repo.describeRepo.Output['didDoc'],
        collections,
        handleIsCorrect: identity.handle !== INVALID_HANDLE && identity.handle === handle,
      }
    } catch (error) {
      if (error instanceof IdentityError)
        throw upstreamFailure(`the DID document of ${did} could not be had: ${error.message}`, error)
      throw error
    }
  })
