import { type Cid, tryParseCid } from '@imago/data'
import { invalidRequest } from '@imago/xrpc'

/**
 * The CID that a cursor is.
 * @throws {XrpcError} InvalidRequest for one that is none.
 */
export function cursorCid(cursor: string | undefined): Cid | undefined {
  if (cursor === undefined) return undefined
  const cid = tryParseCid(cursor)
  if (cid === undefined)
    throw invalidRequest(`cursor is ${JSON.stringify(cursor)}: use the one of the page before`)
  return cid
}
