import { com } from '@imago/atproto'
import { authRequired, forbidden, invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'
import { sessionInfo } from '../session-info.ts'

export const refreshSession = ({
  authentication,
  accounts,
  sessions,
  directory,
}: Pick<Ports, 'authentication' | 'accounts' | 'sessions' | 'directory'>) =>
  method(
    com.atproto.server.refreshSession.main,
    { auth: authentication.refreshToken() },
    async ({ auth: token }) => {
      const account = await accounts.get(token.did)
      if (account === undefined) throw forbidden('the account of this session is not here', 'AccountNotFound')
      if (account.status === 'takendown' || account.status === 'suspended')
        throw authRequired('the account has been taken down', 'AccountTakedown')
      const pair = await sessions.refresh(token)
      if (pair === undefined) throw invalidRequest('the session has ended', 'ExpiredToken')
      const { accessJwt, refreshJwt } = pair
      return {
        accessJwt,
        refreshJwt,
        ...(await sessionInfo(account, directory, pair.appPassword !== undefined)),
      }
    },
  )
