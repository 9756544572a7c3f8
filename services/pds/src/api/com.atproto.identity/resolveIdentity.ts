import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { createIdentityInfo } from '../../identity/identity-info.ts'
import { answerAboutIdentity } from '../identity-answer.ts'
import type { Ports } from '../ports.ts'

export const resolveIdentity = ({
  accounts,
  directory,
  server,
}: Pick<Ports, 'accounts' | 'directory' | 'server'>) => {
  const identities = createIdentityInfo({ accounts, directory, handleDomains: server.handleDomains })
  return method(com.atproto.identity.resolveIdentity.main, async ({ params }) => {
    return await answerAboutIdentity(() => identities.find(params.identifier))
  })
}
