import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { accountEvent, entryOf, identityEvent, syncEvent } from '../../events/events.ts'
import { faultOfIdentity } from '../../identity/points-here.ts'
import type { Ports } from '../ports.ts'

export const activateAccount = ({
  authentication,
  accounts,
  repos,
  directory,
  plc,
  server,
  now,
}: Pick<Ports, 'authentication' | 'accounts' | 'repos' | 'directory' | 'plc' | 'server' | 'now'>) =>
  method(
    com.atproto.server.activateAccount.main,
    { auth: authentication.account({ evenInactive: true, notForApps: true }) },
    async ({ auth }) => {
      const { did, handle, status } = auth.account
      if (status === undefined) return
      const repo = await repos.open(did)
      if (repo === undefined) throw new Error(`the account ${did} has no repository`)
      const fault = await faultOfIdentity(did, repo.keypair.didKey, { directory, plc, server })
      if (fault !== undefined) throw invalidRequest(fault)
      // Only now: an import may have come to its end meanwhile.
      const head = await repos.head(did)
      const [commit] = head === undefined ? [] : await repos.getBlocks(did, [head.cid])
      if (head === undefined || commit === undefined)
        throw new Error(`the newest commit of ${did} is not in the store`)
      const at = now()
      const events = [
        accountEvent(did, undefined, at),
        identityEvent(did, handle, at),
        syncEvent(did, { cid: head.cid, rev: head.rev, bytes: commit.bytes }, at),
      ]
      const done = await accounts.activate(
        did,
        events.map((event) => entryOf(did, event)),
      )
      if (!done) throw invalidRequest(`the account is ${status}, and only a deactivated one can be activated`)
    },
  )
