import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { accountEvent, entryOf } from '../../events/events.ts'
import type { Ports } from '../ports.ts'

export const deleteAccount = ({
  authentication,
  accounts,
  blobs,
  imports,
  now,
}: Pick<Ports, 'authentication' | 'accounts' | 'blobs' | 'imports' | 'now'>) =>
  method(
    com.atproto.admin.deleteAccount.main,
    { auth: authentication.operator },
    async ({ input: { did } }) => {
      const removed = await accounts.remove(did, [entryOf(did, accountEvent(did, 'deleted', now()))])
      if (!removed) throw invalidRequest(`no account ${did} lies here`, 'AccountNotFound')
      imports.sweep()
      await blobs.removeAll(did)
    },
  )
