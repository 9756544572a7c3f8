import { com } from '@imago/atproto'
import { tryParseDatetimeMs } from '@imago/syntax'
import { authRequired, invalidRequest } from '@imago/xrpc'
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
      const deleteAfter = momentOf(input.deleteAfter)
      const done = await accounts.deactivate(did, now(), deleteAfter, [
        entryOf(did, accountEvent(did, 'deactivated', now())),
      ])
      if (!done) throw authRequired('the account has been taken down', 'AccountTakedown')
    },
  )

function momentOf(deleteAfter: string | undefined): number | undefined {
  if (deleteAfter === undefined) return undefined
  const moment = tryParseDatetimeMs(deleteAfter)
  if (moment === undefined) throw invalidRequest(`deleteAfter, ${deleteAfter}, is no moment with its zone`)
  return moment
}
