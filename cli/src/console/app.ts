import { IdentityError } from '@imago/identity'
import { XrpcError } from '@imago/xrpc'
import { Hono } from 'hono'
import type { ConsolePorts } from './console-ports.ts'
import { failurePage } from './pages/failure-page.ts'
import { renderer } from './render.ts'
import { accountRoutes } from './routes/account-routes.ts'
import { assetRoutes } from './routes/asset-routes.ts'
import { liveRoutes } from './routes/live-routes.ts'
import { overviewRoutes } from './routes/overview-routes.ts'
import { writeRoutes } from './routes/write-routes.ts'
import { guard, hardened } from './security.ts'

/**
 * All routes of the console.
 * @param stop aborts when the console stops: pages that go on for ever end then.
 */
export function createApp(ports: ConsolePorts, stop: AbortSignal): Hono {
  const render = renderer(ports.version)
  const app = new Hono()
  app.use(guard, hardened)
  app.get('/_health', (c) => c.json({ version: ports.version }))
  assetRoutes(app)
  overviewRoutes(app, ports, render)
  accountRoutes(app, ports, render)
  liveRoutes(app, ports, render, stop)
  writeRoutes(app, ports, render)

  app.notFound((c) =>
    c.html(
      render({
        title: 'Not found',
        section: undefined,
        body: failurePage('Nothing is here', `There is no page ${c.req.path}.`),
      }),
      404,
    ),
  )
  app.onError((error, c) => {
    const known = knownFailure(error)
    if (known === undefined) ports.logger.error({ err: error, path: c.req.path }, 'a page failed')
    const { title, message, status } = known ?? {
      title: 'This page failed',
      message: 'The fault is ours; the log of `imago up` says more.',
      status: 500,
    }
    return c.html(render({ title, section: undefined, body: failurePage(title, message) }), status)
  })
  return app
}

/** What services answer is the reader's to know; anything else is ours. */
function knownFailure(error: unknown): { title: string; message: string; status: 404 | 502 } | undefined {
  if (error instanceof IdentityError)
    return error.code === 'Unavailable'
      ? { title: 'The directory does not answer', message: error.message, status: 502 }
      : { title: 'No such account', message: error.message, status: 404 }
  if (error instanceof XrpcError)
    return error.status >= 400 && error.status < 500
      ? { title: 'Not found', message: error.message, status: 404 }
      : { title: 'A service does not answer', message: error.message, status: 502 }
  return undefined
}
