import type { FanOut } from '@imago/log'
import type { Upgrade } from '@imago/service'
import { createSubscriber } from './subscriber.ts'
import { readQuery, SubscriberOptionsError } from './subscriber-options.ts'

/** Answers a request to open a WebSocket: a subscriber, or plain text that says why not. */
export function openSubscription(request: Request, stream: FanOut, newest: () => number): Upgrade | Response {
  const { pathname, searchParams } = new URL(request.url)
  if (pathname !== '/subscribe') return refuse(404, `no stream at ${pathname}: subscribe at /subscribe`)
  if (wantsCompression(searchParams, request.headers))
    return refuse(400, 'zstd compression is not served yet: leave out compress and Socket-Encoding')
  try {
    return createSubscriber(stream, newest, readQuery(searchParams))
  } catch (error) {
    if (!(error instanceof SubscriberOptionsError)) throw error
    return refuse(400, error.message)
  }
}

function wantsCompression(query: URLSearchParams, headers: Headers): boolean {
  return query.get('compress') === 'true' || headers.get('socket-encoding')?.includes('zstd') === true
}

const refuse = (status: number, message: string) => new Response(`${message}\n`, { status })
