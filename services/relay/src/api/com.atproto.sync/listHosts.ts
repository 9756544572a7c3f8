import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import { positionOf } from '../cursor.ts'
import { hostView } from '../host-view.ts'
import type { Ports } from '../ports.ts'

/** Hosts, those that have sent nothing yet left out. */
export const listHosts = ({ state }: Pick<Ports, 'state'>) =>
  method(com.atproto.sync.listHosts.main, ({ params: { limit, cursor } }) => {
    const page = state.listHosts({ after: positionOf(cursor), limit })
    return {
      // A full page may be the last one: the next is empty then.
      ...(page.length === limit && { cursor: String(page.at(-1)!.id) }),
      hosts: page.filter((host) => host.cursor > 0).map(hostView),
    }
  })
