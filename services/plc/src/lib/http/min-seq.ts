import type { MiddlewareHandler } from 'hono'
import type { PlcStore } from '../store/plc-store.ts'
import { HttpError } from './answers.ts'

/** How long a reader waits for an operation to arrive here. */
const WAIT_MS = 5000

/**
 * Read your writes: with `?minSeq=` or the header `plc-min-seq`, nothing is answered before the operation of that number
 * is here. It is in the receipt of every submission. 503 where it does not come in time.
 */
export function waitForMinSeq(store: PlcStore): MiddlewareHandler {
  return async (c, next) => {
    const text = c.req.query('minSeq') ?? c.req.header('plc-min-seq')
    if (text !== undefined) {
      if (!/^\d{1,15}$/.test(text)) throw new HttpError(400, 'Invalid minSeq parameter')
      if (!(await arrives(store, Number(text))))
        return c.json({ message: `Operation ${text} is not here yet` }, 503, { 'retry-after': '5' })
    }
    return await next()
  }
}

async function arrives(store: PlcStore, seq: number): Promise<boolean> {
  const isHere = async () => ((await store.latest())?.seq ?? 0) >= seq
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const unsubscribe = store.subscribe((...events) => {
    if (events.some((batch) => (batch.at(-1)?.seq ?? 0) >= seq)) resolve(true)
  })
  const late = setTimeout(() => resolve(false), WAIT_MS)
  try {
    return (await isHere()) || (await promise)
  } finally {
    clearTimeout(late)
    unsubscribe()
  }
}
