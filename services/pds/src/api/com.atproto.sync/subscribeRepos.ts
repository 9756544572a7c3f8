import { com } from '@imago/atproto'
import { invalidRequest } from '@imago/xrpc'
import { encodeFrame } from '@imago/xrpc/frames'
import { subscription } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const subscribeRepos = ({ stream }: Pick<Ports, 'stream'>) =>
  subscription(com.atproto.sync.subscribeRepos.main, ({ params: { cursor }, signal }) => {
    if (cursor !== undefined && cursor < 0) throw invalidRequest(`cursor is ${cursor}: it must be 0 or more`)
    return stream.read({ cursor, signal, onOutdated: outdated })
  })

const outdated = (oldest: number) =>
  encodeFrame('#info', {
    name: 'OutdatedCursor',
    message: `events before ${oldest} are not kept any more: what they said has to be fetched anew`,
  })
