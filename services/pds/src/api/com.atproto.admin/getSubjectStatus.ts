import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'
import { BLOB_SUBJECT, blobOf } from '../subject-blob.ts'

/** Whether a blob has been taken down. Accounts and records have no takedown here yet. */
export const getSubjectStatus = ({
  authentication,
  blobIndex,
}: Pick<Ports, 'authentication' | 'blobIndex'>) =>
  method(
    com.atproto.admin.getSubjectStatus.main,
    { auth: authentication.operator },
    async ({ params: { did, blob } }) => {
      if (did === undefined || blob === undefined)
        throw invalidRequest('give did and blob: only blobs can be taken down here')
      const subject = { $type: BLOB_SUBJECT, did, cid: blob } as const
      const { takedownRef } = await blobOf(blobIndex, subject)
      return {
        subject,
        takedown: { applied: takedownRef !== undefined, ...(takedownRef && { ref: takedownRef }) },
      }
    },
  )
