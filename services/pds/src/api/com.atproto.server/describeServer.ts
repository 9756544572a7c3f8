import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const describeServer = ({ server }: Pick<Ports, 'server'>) =>
  method(com.atproto.server.describeServer.main, () => {
    const { did, handleDomains, blobUploadLimitBytes, privacyPolicyUrl, termsOfServiceUrl, contactEmail } =
      server
    return {
      did,
      availableUserDomains: [...handleDomains],
      inviteCodeRequired: server.inviteRequired,
      phoneVerificationRequired: false,
      blobUploadLimit: blobUploadLimitBytes,
      links: {
        ...(privacyPolicyUrl !== undefined && { privacyPolicy: privacyPolicyUrl }),
        ...(termsOfServiceUrl !== undefined && { termsOfService: termsOfServiceUrl }),
      },
      contact: contactEmail === undefined ? {} : { email: contactEmail },
    }
  })
