import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

/** What the DID document has to say for the account to live here. The owner's own rotation keys are not known here. */
export const getRecommendedDidCredentials = ({
  authentication,
  repos,
  server,
}: Pick<Ports, 'authentication' | 'repos' | 'server'>) =>
  method(
    com.atproto.identity.getRecommendedDidCredentials.main,
    { auth: authentication.account({ evenInactive: true }) },
    async ({ auth: { account } }) => {
      const repo = await repos.open(account.did)
      if (repo === undefined) throw new Error(`the account ${account.did} has no repository`)
      return {
        rotationKeys: [...server.recoveryKeys, server.rotationKey],
        alsoKnownAs: [`at://${account.handle}`],
        verificationMethods: { atproto: repo.keypair.didKey },
        services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: server.publicUrl } },
      }
    },
  )
