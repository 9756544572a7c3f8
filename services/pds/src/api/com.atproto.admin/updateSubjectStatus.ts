import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'
import { blobOf } from '../subject-blob.ts'

/** Takes blobs down, and gives them back. Accounts and records have no takedown here yet. */
export const updateSubjectStatus = ({
  authentication,
  blobIndex,
}: Pick<Ports, 'authentication' | 'blobIndex'>) =>
  method(
    com.atproto.admin.updateSubjectStatus.main,
    { auth: authentication.operator },
    async ({ input: { subject, takedown } }) => {
      const { did, cid } = await blobOf(blobIndex, subject)
      if (takedown !== undefined)
        await blobIndex.setTakedown(did, cid, takedown.applied ? (takedown.ref ?? NO_REASON) : undefined)
      return { subject, ...(takedown && { takedown }) }
    },
  )

/** Says that it was taken down when nobody said why. */
const NO_REASON = 'no reason given'
