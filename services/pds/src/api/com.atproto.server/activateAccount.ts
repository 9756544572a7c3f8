import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { accountEvent, entryOf, identityEvent, syncEvent } from '../../events/events.ts'
import type { RepoState } from '../../repos/repo-store.ts'
import type { Ports } from '../ports.ts'

export const activateAccount = ({
  authentication,
  accounts,
  repos,
  directory,
  server,
  now,
}: Pick<Ports, 'authentication' | 'accounts' | 'repos' | 'directory' | 'server' | 'now'>) =>
  method(
    com.atproto.server.activateAccount.main,
    { auth: authentication.account({ evenInactive: true }) },
    async ({ auth }) => {
      const { did, handle, status } = auth.account
      if (status === undefined) return
      const repo = await repos.open(did)
      if (repo === undefined) throw new Error(`the account ${did} has no repository`)
      await assertPointsHere(repo, directory, server.publicUrl)
      const [commit] = await repos.getBlocks(did, [repo.cid])
      if (commit === undefined) throw new Error(`the newest commit of ${did} is not in the store`)
      const at = now()
      const events = [
        accountEvent(did, undefined, at),
        identityEvent(did, handle, at),
        syncEvent(did, { cid: repo.cid, rev: repo.rev, bytes: commit.bytes }, at),
      ]
      const done = await accounts.activate(
        did,
        events.map((event) => entryOf(did, event)),
      )
      if (!done) throw invalidRequest(`the account is ${status}, and only a deactivated one can be activated`)
    },
  )

/** The world must find the account here, and be able to check what it signs. */
async function assertPointsHere(
  { did, keypair }: RepoState,
  directory: Ports['directory'],
  publicUrl: string,
): Promise<void> {
  const { pds, signingKey } = await directory.resolveDid(did, { refresh: true })
  if (pds !== publicUrl)
    throw invalidRequest(
      `the DID document says that the PDS is ${pds ?? 'nowhere'}, and this is ${publicUrl}`,
    )
  if (signingKey?.didKey !== keypair.didKey)
    throw invalidRequest(
      `the DID document does not name the signing key of this repository, ${keypair.didKey}`,
    )
}
