import { com } from '@imago/atproto'
import { tryParseDatetimeMs } from '@imago/syntax'
import { method } from '@imago/xrpc/server'
import { accountEvent, entryOf } from '../../events/events.ts'
import type { Ports } from '../ports.ts'

export const deactivateAccount = ({
  authentication,
  accounts,
  now,
}: Pick<Ports, 'authentication' | 'accounts' | 'now'>) =>
  method(
    com.atproto.server.deactivateAccount.main,
    { auth: authentication.account({ evenInactive: true, notForApps: true }) },
    async ({ auth, input }) => {
      const { did } = auth.account
      const deleteAfter = input.deleteAfter === undefined ? undefined : tryParseDatetimeMs(input.deleteAfter)
      await accounts.deactivate(did, now(), deleteAfter, [
        entryOf(did, accountEvent(did, 'deactivated', now())),
      ])
    },
  )
