import { documentOf } from '@imago/identity/plc'
import type { Hono } from 'hono'
import type { PlcStore } from '../store/plc-store.ts'
import { headOf, type RefusalStatuses, send, stateAt } from './answers.ts'

// Long enough to spare a busy directory, short enough that nobody waits for their new handle.
const CACHE_CONTROL = 'public, max-age=5'

/** `GET /:did` and `GET /:did/data`: what holds for a DID now. */
export function documentRoutes(app: Hono, store: PlcStore, statuses: RefusalStatuses): void {
  app.get('/:did', async (c) => {
    const head = await headOf(store, c.req.param('did'))
    const { '@context': context, ...document } = documentOf(stateAt(head, statuses))
    const plain = prefersPlainJson(c.req.header('accept'))
    return send(c, JSON.stringify(plain ? document : { '@context': context, ...document }), {
      contentType: `application/did+${plain ? '' : 'ld+'}json; charset=utf-8`,
      cacheControl: CACHE_CONTROL,
      vary: 'Accept',
      tag: plain ? `${head.cid}-json` : head.cid,
    })
  })

  app.get('/:did/data', async (c) => {
    const head = await headOf(store, c.req.param('did'))
    const { did, verificationMethods, rotationKeys, alsoKnownAs, services } = stateAt(head, statuses)
    const body = JSON.stringify({ did, verificationMethods, rotationKeys, alsoKnownAs, services })
    return send(c, body, {
      contentType: 'application/json; charset=utf-8',
      cacheControl: CACHE_CONTROL,
      tag: `${head.cid}-data`,
    })
  })
}

/** JSON-LD unless `application/did+json` was named and preferred: well-known resolvers take no other type. */
function prefersPlainJson(accept = ''): boolean {
  return weightOf(accept, 'application/did+json') > weightOf(accept, 'application/did+ld+json')
}

/** The weight of a media type that is named itself, not by a wildcard (RFC 9110 §12.5.1). */
function weightOf(accept: string, type: string): number {
  for (const range of accept.split(',')) {
    const [name, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    if (name !== type) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0
  }
  return 0
}
