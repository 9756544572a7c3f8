// Ways in which an S3 server fails a request, for tests that stand between it and its client.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Fault, S3TestServer } from '@imago/sim/s3-server'

export type Applies = (request: IncomingMessage) => boolean

export const isMethod =
  (method: string): Applies =>
  (request) =>
    request.method === method

/** Breaks the requests to which a fault applies while `work` runs. Returns how often it did. */
export async function whileBroken(
  server: S3TestServer,
  applies: Applies,
  { request, answered, headers, body }: Fault,
  work: () => Promise<unknown>,
): Promise<number> {
  let fired = 0
  const isHit = (incoming: IncomingMessage) => {
    if (!applies(incoming)) return false
    fired++
    return true
  }
  server.fault = {
    ...(request && { request: (incoming, outgoing) => isHit(incoming) && request(incoming, outgoing) }),
    ...(answered && { answered: (incoming, outgoing) => isHit(incoming) && answered(incoming, outgoing) }),
    ...(headers && { headers: (incoming, found) => (isHit(incoming) ? headers(incoming, found) : found) }),
    ...(body && { body: (incoming, chunk) => (isHit(incoming) ? body(incoming, chunk) : chunk) }),
  }
  try {
    await work()
  } finally {
    server.fault = undefined
  }
  return fired
}

export const silent: Fault = {
  request(incoming) {
    incoming.resume()
    return true
  },
}

export const refusing: Fault = {
  request(incoming, outgoing) {
    incoming.resume()
    outgoing.writeHead(503).end()
    return true
  },
}

export const spoiling: Fault = {
  body(_, chunk) {
    const other = Buffer.from(chunk)
    other[other.length >> 1]! ^= 1
    return other
  },
}

/** What can befall any request that changes something. */
export const CHANGE_FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ['falls silent', silent],
  ['refuses for the moment', refusing],
  ['stores it, and falls silent', { answered: () => true }],
  [
    'stores it, and says 503',
    {
      answered(_, outgoing) {
        outgoing.writeHead(503).end()
        return true
      },
    },
  ],
]

export const wrongChecksum: Fault = {
  headers: (_, found) => ({ ...found, etag: `"${createHash('md5').update('x').digest('hex')}"` }),
}

/** What can befall an upload. */
export const UPLOAD_FAULTS: typeof CHANGE_FAULTS = [
  ...CHANGE_FAULTS,
  ['says that it stored something else', wrongChecksum],
]
