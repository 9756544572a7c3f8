import { com } from '@imago/atproto'
import { rateLimited } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { createIdentityInfo } from '../../identity/identity-info.ts'
import { createRefreshLimit } from '../../identity/refresh-limit.ts'
import { answerAboutIdentity } from '../identity-answer.ts'
import type { Ports } from '../ports.ts'

/** As resolveIdentity, past what is remembered. Each is a question to hosts that the caller chose, so they are limited. */
export const refreshIdentity = ({
  accounts,
  directory,
  server,
  now,
}: Pick<Ports, 'accounts' | 'directory' | 'server' | 'now'>) => {
  const identities = createIdentityInfo({ accounts, directory, handleDomains: server.handleDomains })
  const limit = createRefreshLimit(now)
  return method(com.atproto.identity.refreshIdentity.main, async ({ input }) => {
    const waitMs = limit.waitMs(input.identifier.toLowerCase())
    if (waitMs > 0)
      throw rateLimited(
        Math.ceil(waitMs / 1000),
        `${input.identifier} was refreshed just now, or too many others were: try again in ${Math.ceil(waitMs / 1000)} s`,
      )
    return await answerAboutIdentity(() => identities.find(input.identifier, { refresh: true }))
  })
}
