import { com } from '@imago/atproto'
import { encodeFrame } from '@imago/xrpc/frames'
import { subscription } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const subscribeRepos = ({ stream }: Pick<Ports, 'stream'>) =>
  subscription(com.atproto.sync.subscribeRepos.main, ({ params: { cursor }, signal }) =>
    stream.read({ cursor, signal, onOutdated: outdated }),
  )

const outdated = (oldest: number) =>
  encodeFrame('#info', {
    name: 'OutdatedCursor',
    message: `events before ${oldest} are not kept any more: what they said has to be fetched anew`,
  })
