import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { statusOf } from '../../state/account.ts'
import { positionOf } from '../cursor.ts'
import type { Ports } from '../ports.ts'

/** Repositories that were heard of, in that order, so that one which comes meanwhile is on a later page. */
export const listRepos = ({ state }: Pick<Ports, 'state'>) =>
  method(com.atproto.sync.listRepos.main, ({ params: { limit, cursor } }) => {
    const page = state.listAccounts({ after: positionOf(cursor), limit })
    return {
      ...(page.length === limit && { cursor: String(page.at(-1)!.id) }),
      repos: page.map((account) => ({
        did: account.did,
        head: account.head!.commit.toString(),
        rev: account.head!.rev,
        ...statusOf(account),
      })),
    }
  })
