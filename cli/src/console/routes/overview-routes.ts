import type { Hono } from 'hono'
import type { ConsolePorts } from '../console-ports.ts'
import { overviewPage } from '../pages/overview-page.ts'
import { readOverview } from '../queries/overview.ts'
import type { Render } from '../render.ts'

/** `GET /` */
export function overviewRoutes(
  app: Hono,
  { services, feeds, dataPath }: Pick<ConsolePorts, 'services' | 'feeds' | 'dataPath'>,
  render: Render,
): void {
  app.get('/', async (c) => {
    const overview = await readOverview(services, feeds)
    return c.html(
      render({ title: 'Imago', section: 'overview', body: overviewPage(overview, services, dataPath) }),
    )
  })
}
