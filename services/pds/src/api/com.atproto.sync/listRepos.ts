import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const listRepos = ({ repos }: Pick<Ports, 'repos'>) =>
  method(com.atproto.sync.listRepos.main, async ({ params: { limit, cursor } }) => {
    const page = await repos.list({ after: positionOf(cursor), limit })
    return {
      // A full page may be the last one: the next is empty then.
      ...(page.length === limit && { cursor: String(page.at(-1)!.position) }),
      repos: page.map(({ did, cid, rev, status }) => ({
        did,
        head: cid.toString(),
        rev,
        active: status === undefined,
        ...(status !== undefined && { status }),
      })),
    }
  })

function positionOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  const position = Number(cursor)
  if (!/^\d+$/.test(cursor) || !Number.isSafeInteger(position))
    throw invalidRequest(`cursor is ${JSON.stringify(cursor)}: use the one of the page before`)
  return position
}
