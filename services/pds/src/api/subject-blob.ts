import type { com } from '@imago/atproto'
import { tryParseCid } from '@imago/data'
import { invalidRequest } from '@imago/xrpc'
import type { BlobIndex, BlobName, BlobRow } from '../blobs/blob-index.ts'

export const BLOB_SUBJECT = 'com.atproto.admin.defs#repoBlobRef'

type Subject = com.atproto.admin.updateSubjectStatus.Input['subject']

/**
 * The blob that an admin method is about.
 * @throws {XrpcError} InvalidRequest for a subject of another kind; BlobNotFound.
 */
export async function blobOf(index: Pick<BlobIndex, 'get'>, subject: Subject): Promise<BlobName & BlobRow> {
  if (subject.$type !== BLOB_SUBJECT)
    throw invalidRequest(`the subject is a ${subject.$type}: only a ${BLOB_SUBJECT} can be taken down here`)
  const { did, cid: text } = subject
  const cid = tryParseCid(text)
  const row = cid && (await index.get(did, cid))
  if (row === undefined) throw invalidRequest(`${did} has no blob ${text} here`, 'BlobNotFound')
  return { did, ...row }
}
