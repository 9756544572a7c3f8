import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const uploadBlob = ({
  authentication,
  blobs,
  server,
}: Pick<Ports, 'authentication' | 'blobs' | 'server'>) =>
  method(
    com.atproto.repo.uploadBlob.main,
    // Whoever moves in uploads before the account is active.
    {
      auth: authentication.account({ evenInactive: 'deactivated' }),
      maxBodyBytes: server.blobUploadLimitBytes,
    },
    async ({ auth: { account }, input }) => ({
      blob: await blobs.upload(account.did, input.body, input.encoding),
    }),
  )
