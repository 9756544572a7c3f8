import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const deleteSession = ({ authentication, sessions }: Pick<Ports, 'authentication' | 'sessions'>) =>
  method(
    com.atproto.server.deleteSession.main,
    { auth: authentication.refreshToken({ allowExpired: true }) },
    ({ auth: token }) => sessions.end(token),
  )
