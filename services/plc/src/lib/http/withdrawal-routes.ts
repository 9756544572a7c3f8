import type { Hono } from 'hono'
import type { PlcStore } from '../store/plc-store.ts'
import { notRegistered, sendTo, whole } from './answers.ts'
import { withdrawalEntry } from './operation-json.ts'

/**
 * `GET /:did/log/withdrawn`: notices about a DID, with the operations that they withdrew and the rule that each of them
 * breaks. Also for DIDs of which nothing is left.
 */
export function withdrawalRoutes(app: Hono, store: PlcStore): void {
  app.get('/:did/log/withdrawn', async (c) => {
    const did = c.req.param('did')
    const withdrawals = await store.withdrawals(did)
    if (withdrawals.length === 0 && (await store.operations(did)).length === 0) throw notRegistered(did)
    const reply = whole(`[${withdrawals.map(withdrawalEntry).join(',')}]`, {
      cacheControl: 'no-cache',
      contentType: 'application/json; charset=utf-8',
      tag: `${withdrawals.at(-1)?.seq ?? 0}-withdrawn`,
    })
    return (await sendTo(c.req, reply)).toResponse()
  })
}
