import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { method } from '@imago/xrpc/server'
import { hostView } from '../host-view.ts'
import type { Ports } from '../ports.ts'

export const getHostStatus = ({ hosts }: Pick<Ports, 'hosts'>) =>
  method(com.atproto.sync.getHostStatus.main, ({ params: { hostname } }) => {
    const host = hosts.find(hostname.toLowerCase())
    if (host === undefined)
      throw invalidRequest(
        `${JSON.stringify(hostname.slice(0, 253))} is not read: ask for it with requestCrawl`,
        'HostNotFound',
      )
    return hostView(host)
  })
