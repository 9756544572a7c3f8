import { Hono } from 'hono'
import { VERSION } from '../version.ts'

const ABOUT = `This is an AT Protocol relay, part of Imago.

It reads many hosts, checks what they send, and passes it on as one stream:
/xrpc/com.atproto.sync.subscribeRepos
Protocol: https://atproto.com
`

/** Everything outside of XRPC methods. */
export function pages({ isHealthy }: { isHealthy: () => boolean }) {
  const health = () =>
    isHealthy()
      ? Response.json({ version: VERSION })
      : Response.json(
          { version: VERSION, error: 'the log or the database cannot be written' },
          { status: 503 },
        )
  return new Hono()
    .get('/', (context) => context.text(ABOUT))
    .get('/robots.txt', (context) => context.text('User-agent: *\nAllow: /\n'))
    .get('/_health', health)
    .get('/xrpc/_health', health)
    .notFound((context) => context.text('nothing is here\n', 404))
}
