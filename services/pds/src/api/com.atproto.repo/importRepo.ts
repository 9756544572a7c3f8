import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

/** Takes in the repository of an account that moves here, or puts an export in the place of what lies here. */
export const importRepo = ({
  authentication,
  imports,
  server,
}: Pick<Ports, 'authentication' | 'imports' | 'server'>) => {
  const { acceptsImports, maxImportBytes } = server
  const ownAccount = authentication.account({ evenInactive: true, notForApps: true })
  return method(
    com.atproto.repo.importRepo.main,
    {
      maxBodyBytes: maxImportBytes,
      auth: async (request) => {
        if (!acceptsImports) throw invalidRequest('this server does not take in repositories')
        return await ownAccount(request)
      },
    },
    async ({ auth: { account }, input }) => {
      if (account.status === 'takendown' || account.status === 'suspended')
        throw invalidRequest(`the account is ${account.status}`, 'AccountTakedown')
      await imports.run(account.did, input.body)
    },
  )
}
