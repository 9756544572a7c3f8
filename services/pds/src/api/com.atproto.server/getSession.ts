import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'
import { sessionInfo } from '../session-info.ts'

export const getSession = ({ authentication, directory }: Pick<Ports, 'authentication' | 'directory'>) =>
  method(
    com.atproto.server.getSession.main,
    { auth: authentication.account({ evenInactive: true }) },
    ({ auth }) => sessionInfo(auth.account, directory, auth.forApp),
  )
