import { createXrpcHandleMethod, type HandleMethod } from '@imago/identity'
import type { Addresses } from './addresses.ts'

/** No name server knows names that end in `.test`: in this network the PDS does. */
export function testHandles(addresses: Pick<Addresses, 'pds'>): HandleMethod {
  return createXrpcHandleMethod({
    service: addresses.pds.url,
    fetch,
    accepts: (handle) => handle.endsWith('.test'),
  })
}
