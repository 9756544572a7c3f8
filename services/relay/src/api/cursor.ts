import { invalidRequest } from '@imago/xrpc'

/** Where a page begins: after the position that the page before it ended with. @throws {XrpcError} 400 */
export function positionOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  const position = Number(cursor)
  if (!/^\d+$/.test(cursor) || !Number.isSafeInteger(position))
    throw invalidRequest(`cursor is ${JSON.stringify(cursor.slice(0, 80))}: use the one of the page before`)
  return position
}
