import { com } from '@imago/atproto'
import { method } from '@imago/xrpc/server'
import type { Ports } from '../ports.ts'

export const reserveSigningKey = ({ reservedKeys }: Pick<Ports, 'reservedKeys'>) =>
  method(com.atproto.server.reserveSigningKey.main, async ({ input }) => {
    const { didKey } = await reservedKeys.reserve(input.did)
    return { signingKey: didKey }
  })
