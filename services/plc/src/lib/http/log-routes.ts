import type { Hono } from 'hono'
import type { PlcStore } from '../store/plc-store.ts'
import { type Asked, headOf, notRegistered, sendTo, whole } from './answers.ts'
import { auditEntry } from './operation-json.ts'

// Clients compute the next `prev` from these: no cache may answer in our place.
const SENDING = { cacheControl: 'no-cache', contentType: 'application/json; charset=utf-8' }

/** `GET /:did/log`, `/log/last` and `/log/audit`: how a DID came to be what it is. Also for DIDs that have ended. */
export function logRoutes(app: Hono, store: PlcStore): void {
  const operationsOf = async (did: string) => {
    const operations = await store.operations(did)
    if (operations.length === 0) throw notRegistered(did)
    return operations
  }

  app.get('/:did/log', async (c) => {
    const current = (await operationsOf(c.req.param('did'))).filter(({ nullified }) => !nullified)
    return await send(c.req, `[${current.map(({ json }) => json).join(',')}]`, `${current.at(-1)!.cid}-log`)
  })

  app.get('/:did/log/last', async (c) => {
    const head = await headOf(store, c.req.param('did'))
    return await send(c.req, head.json, `${head.cid}-last`)
  })

  app.get('/:did/log/audit', async (c) => {
    const did = c.req.param('did')
    const operations = await operationsOf(did)
    // A withdrawal may change what lies before the last operation, and leave that one.
    const notice = (await store.withdrawals(did)).at(-1)
    const tag = `${operations.at(-1)!.cid}-audit${notice === undefined ? '' : `-${notice.seq}`}`
    return await send(c.req, `[${operations.map(auditEntry).join(',')}]`, tag)
  })
}

async function send(asked: Asked, body: string, tag: string): Promise<Response> {
  return (await sendTo(asked, whole(body, { ...SENDING, tag }))).toResponse()
}
